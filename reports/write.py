"""Writes everything that a run leaves for people into its folder."""

from collections.abc import Sequence
from pathlib import Path

from harness.evaluate import TrialResult
from harness.files import write_whole
from harness.runfolder import RunFolder
from harness.thresholds import FILE, Threshold, read_thresholds
from reports.csvfiles import write_csv
from reports.frames import chunk_frame, verdict_frame
from reports.html import render


def write_reports(folder: RunFolder, results: Sequence[TrialResult], path: Path) -> list[Path]:
    """Write the tables and the page.

    Args:
        folder: The run.
        results: Its trials, judged by the thresholds.
        path: The thresholds' file.

    Returns:
        What was written; the page for people comes first.

    Raises:
        JournalError: A file can't be written. Each is whole, or as it was before.
        DataFileError: The thresholds, or the embedded model's card, can't be read.
    """
    thresholds: dict[str, Threshold] = read_thresholds(path)
    run_id = folder.info.run_id
    name = "suites/thresholds.toml" if path == FILE else str(path)
    page = folder.path / "report.html"
    verdicts, chunks = folder.path / "verdicts.csv", folder.path / "chunks.csv"
    write_whole(page, render(folder, results, thresholds, name).encode())
    write_csv(verdicts, verdict_frame(run_id, results))
    write_csv(chunks, chunk_frame(run_id, results))
    return [page, verdicts, chunks]

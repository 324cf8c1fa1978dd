"""Writes a run's page, summary and tables into its folder."""

import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UnavailableError
from harness.journal.run_folder import RunFolder
from harness.support.atomic_write import write_whole
from harness.support.gc_pause import gc_paused
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.thresholds import FILE, Threshold, read_thresholds
from reports.run_page.html import render
from reports.tables.csv_files import write_csv
from reports.tables.frames import chunk_frame, figure_frame, verdict_frame
from reports.tables.summary import run_summary

TABLES = {"verdicts": verdict_frame, "figures": figure_frame, "chunks": chunk_frame}


@gc_paused()
def write_reports(folder: RunFolder, results: Sequence[TrialResult], path: Path) -> list[Path]:
    """Write the page, the summary for pipelines, and the tables as CSV.

    Args:
        folder: The run.
        results: Its judged trials.
        path: The thresholds' file.

    Returns:
        The files written, the page first.

    Raises:
        JournalError: A file can't be written; it then stays unchanged.
        DataFileError: The thresholds, or the embedded model's card, can't be read.
    """
    thresholds: dict[str, Threshold] = read_thresholds(path)
    run_id = folder.info.run_id
    name = "suites/thresholds.toml" if path == FILE else str(path)
    page, summary = folder.path / "report.html", folder.path / "summary.md"
    write_whole(page, render(folder, results, thresholds, name).encode())
    write_whole(summary, run_summary(folder.info, results, thresholds).encode())
    tables = {folder.path / f"{table}.csv": frame(run_id, results)
              for table, frame in TABLES.items()}  # fmt: skip
    for path, frame in tables.items():
        write_csv(path, frame)
    return [page, summary, *tables]


def write_parquet(folder: RunFolder, results: Sequence[TrialResult]) -> list[Path]:
    """Write the tables as Parquet.

    Returns:
        The files written.

    Raises:
        UnavailableError: pyarrow isn't installed.
        JournalError: A file can't be written.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise UnavailableError("Parquet", "needs pyarrow", "pip install 'echobench[parquet]'")
    written = []
    for table, frame in TABLES.items():
        content = io.BytesIO()
        frame(folder.info.run_id, results).to_parquet(content, engine="pyarrow", index=False)
        path = folder.path / f"{table}.parquet"
        write_whole(path, content.getvalue())
        written.append(path)
    return written

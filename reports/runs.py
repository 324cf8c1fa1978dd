"""Reads measured runs from their folders, and judges them."""

from dataclasses import dataclass
from pathlib import Path

from harness.errors import JournalError
from harness.journal.journal import read_journal
from harness.journal.run_folder import RunFolder, RunInfo
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, Threshold, read_thresholds


@dataclass(frozen=True)
class Run:
    """A run with its judged trials."""

    folder: RunFolder
    results: list[TrialResult]
    thresholds: dict[str, Threshold]
    thresholds_path: Path

    @property
    def info(self) -> RunInfo:
        """The content of its `run.json`."""
        return self.folder.info


def thresholds_file(folder: RunFolder) -> Path:
    """Return the file of thresholds that a run was judged by."""
    return Path(folder.info.options.thresholds or FILE)


def read_run(runs: Path, reference: str, thresholds: Path | None = None) -> Run:
    """Read a run from its journal.

    Args:
        runs: The folder of runs.
        reference: A run's id or path, or `latest`.
        thresholds: A file of thresholds to use instead of the run's own.

    Raises:
        UsageError: There is no such run, it has another schema, or the thresholds are invalid.
        JournalError: The run is damaged.
    """
    folder = RunFolder.open(runs, reference)
    if not folder.journal.is_file():
        raise JournalError(str(folder.journal), "no such file", "a run that was measured")
    path = thresholds or thresholds_file(folder)
    limits = read_thresholds(path)
    results = evaluate(read_journal(folder.journal), limits)
    return Run(folder, list(results.values()), limits, path)

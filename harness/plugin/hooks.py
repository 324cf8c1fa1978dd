"""Hooks that echobench adds to pytest."""

from pathlib import Path

import pytest

from harness.journal.run_folder import RunFolder
from harness.verdicts.evaluate import TrialResult


@pytest.hookspec
def pytest_echobench_report(folder: RunFolder, results: list[TrialResult]) -> Path | None:
    """Write a report of a run into its folder.

    Args:
        folder: The run.
        results: Its trials with their figures and verdicts, in the order in which they ran.

    Returns:
        The file that people should look at, to be named in the terminal; or None.
    """

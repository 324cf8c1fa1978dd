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
        results: Its trials with figures and verdicts, in the order in which they ran.

    Returns:
        The file to name in the terminal; None for none.
    """

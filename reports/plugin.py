"""Writes the reports at the end of a run; loads what that takes only then."""

from collections.abc import Generator
from pathlib import Path

import pytest

from harness.errors import EchobenchError
from harness.evaluate import TrialResult
from harness.plugin.session import DISK_FULL_STATUS
from harness.runfolder import RunFolder


def pytest_echobench_report(folder: RunFolder, results: list[TrialResult]) -> Path:
    """Write the tables and the page, and name the page."""
    from reports.runs import thresholds_file
    from reports.write import write_reports

    return write_reports(folder, results, thresholds_file(folder))[0]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Go on to the table of verdicts where no report can be written; the run fails all the same."""
    try:
        return (yield)
    except EchobenchError as error:
        session.exitstatus = DISK_FULL_STATUS
        session.config.get_terminal_writer().line(f"no report: {error}", red=True)

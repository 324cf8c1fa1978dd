"""The pytest plugin that writes the reports at the end of a run.

Each test's verdict becomes its properties, so `--junit-xml` includes the figures. Heavy modules are
imported only when the reports are written.
"""

from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from harness.errors import EchobenchError
from harness.journal.run_folder import RunFolder
from harness.plugin.fixtures import Judged
from harness.plugin.session import DISK_FULL_STATUS
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult


def pytest_echobench_report(folder: RunFolder, results: list[TrialResult]) -> Path:
    """Write the tables and the page, and return the page's path."""
    from reports.runs import thresholds_file
    from reports.write import write_reports

    return write_reports(folder, results, thresholds_file(folder))[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Add the verdict that a test checks to its properties."""
    try:
        return (yield)
    finally:
        judged = getattr(item, "funcargs", {}).get("judged")
        if isinstance(judged, Judged):
            item.user_properties += properties_of(judged.result, judged.threshold)


def properties_of(result: TrialResult, threshold: str) -> list[tuple[str, object]]:
    """Return a verdict as properties, without absent values.

    Args:
        result: The trial.
        threshold: The threshold's name.
    """
    found: list[tuple[str, object]] = [("trial", result.spec.name), ("status", result.status)]
    verdict = result.verdicts.get(threshold)
    if verdict is not None:
        named = msgspec.structs.asdict(verdict)
        found += [(name, value) for name, value in named.items() if value not in (None, "")]
    return [(name, value if isinstance(value, float | int) else sanitize(str(value)))
            for name, value in found]  # fmt: skip


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Report an error in writing the reports, and still show the table; the run then fails."""
    try:
        return (yield)
    except EchobenchError as error:
        session.exitstatus = DISK_FULL_STATUS
        session.config.get_terminal_writer().line(f"no report: {error}", red=True)

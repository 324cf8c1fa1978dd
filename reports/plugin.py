"""Writes the reports at the end of a run; loads what that takes only then.

What a test found out is among its properties, so that `--junit-xml` has figures beside outcomes.
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
    """Write the tables and the page, and name the page."""
    from reports.runs import thresholds_file
    from reports.write import write_reports

    return write_reports(folder, results, thresholds_file(folder))[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Note the verdict that a test is about."""
    try:
        return (yield)
    finally:
        judged = getattr(item, "funcargs", {}).get("judged")
        if isinstance(judged, Judged):
            item.user_properties += properties_of(judged.result, judged.threshold)


def properties_of(result: TrialResult, threshold: str) -> list[tuple[str, object]]:
    """A verdict as properties, with what is absent left out.

    Args:
        result: The trial.
        threshold: What it is held to.
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
    """Go on to the table of verdicts where no report can be written; the run fails all the same."""
    try:
        return (yield)
    except EchobenchError as error:
        session.exitstatus = DISK_FULL_STATUS
        session.config.get_terminal_writer().line(f"no report: {error}", red=True)

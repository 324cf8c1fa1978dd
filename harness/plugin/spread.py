"""Tests spread over processes by pytest-xdist: a project's own may be, trials never.

Only the processes that xdist starts collect tests. One that finds a trial, or can't tell what to
measure, runs nothing and hands the reason over; pytest then ends with it, with status 4.
"""

from typing import Any

import pytest

from harness.errors import EchobenchError, UsageError

REASON = "echobench: why nothing was run"
FIXTURES = {"judged", "rule", "resident"}
"""What a test of a trial asks for."""


def is_spread(config: pytest.Config) -> bool:
    """Whether this process was started by pytest-xdist."""
    return hasattr(config, "workeroutput")


def trial_among(items: list[pytest.Item]) -> EchobenchError | None:
    """Why tests can't be spread, if one of them is about a trial."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            problem = f"{item.nodeid} needs a trial, and trials would slow each other"
            return UsageError("-n", problem, "one process, without -n")
    return None


def hand_over(config: pytest.Config, problem: EchobenchError) -> None:
    """Keep the reason with what this process returns to the one that started it."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
    output[REASON] = str(problem)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End pytest if a process that it started could not run its tests."""
    if problem := getattr(node, "workeroutput", {}).get(REASON):
        raise pytest.UsageError(problem)

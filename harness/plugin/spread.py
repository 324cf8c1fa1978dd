"""Refuses trials in processes of pytest-xdist, which would slow each other.

A project's own tests may be spread over processes. Only the processes that xdist starts collect
tests; one that finds a trial or invalid options runs nothing and reports the problem, with which
pytest ends with status 4.
"""

from typing import Any

import pytest

from harness.errors import EchobenchError, UsageError

REASON = "echobench: why nothing was run"
FIXTURES = {"judged", "rule", "resident"}
"""Fixtures of tests that need a trial."""


def is_spread(config: pytest.Config) -> bool:
    """Whether this process was started by pytest-xdist."""
    return hasattr(config, "workeroutput")


def trial_among(items: list[pytest.Item]) -> EchobenchError | None:
    """The error if one of the tests needs a trial."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            problem = f"{item.nodeid} needs a trial, and trials would slow each other"
            return UsageError("-n", problem, "one process, without -n")
    return None


def report_problem(config: pytest.Config, problem: EchobenchError) -> None:
    """Report a problem to the process that started this one."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]
    output[REASON] = str(problem)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End pytest with the problem that a process it started has reported."""
    if problem := getattr(node, "workeroutput", {}).get(REASON):
        raise pytest.UsageError(problem)

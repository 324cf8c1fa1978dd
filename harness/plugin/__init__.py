"""The pytest plugin: adds options, measures the trials that tests need, and judges them.

The tests are collected first. Then each trial that any of them needs is measured once, with a line
of progress. Then the tests run, which only read figures, so their outcomes can be computed again
from the journal at any time.
"""

import sys

import pytest

from harness.errors import EchobenchError
from harness.plugin import hooks
from harness.plugin.commandline import add_options, read_options
from harness.plugin.fixtures import judged, resident, rule
from harness.plugin.session import (
    DISK_FULL_STATUS,
    SESSION,
    BenchSession,
    has_trial_if_needed,
)
from harness.plugin.spread import (
    FIXTURES,
    is_spread,
    pytest_testnodedown,
    report_problem,
    trial_among,
)
from harness.specs.rules import rules_of
from harness.specs.trial import Activity

__all__ = ["judged", "pytest_testnodedown", "resident", "rule"]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hook for reports."""
    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, in a group of their own."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options before anything is collected; a mistake ends pytest with status 4."""
    config.addinivalue_line("markers", "judges(*thresholds): the thresholds that a test judges")
    config.addinivalue_line("markers", "activity(name): whose rules a test tries (conformance)")
    try:
        config.stash[SESSION] = BenchSession(config, read_options(config))
    except EchobenchError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize each test with its trials and thresholds or rules."""
    wanted = FIXTURES & set(metafunc.fixturenames)
    if not wanted:
        return
    session = metafunc.config.stash[SESSION]
    try:
        parametrize(metafunc, session)
    except EchobenchError as error:
        session.problem = error
        for name in wanted:
            metafunc.parametrize(name, [])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End pytest with status 4 and a single error if the options or thresholds are invalid.

    Tests without a trial in this run are left out, not skipped.
    """
    problem = config.stash[SESSION].problem
    if is_spread(config):
        problem = problem or trial_among(items)
        if problem is not None:
            report_problem(config, problem)
            items.clear()
    elif problem is not None:
        raise pytest.UsageError(str(problem)) from problem
    items[:] = [item for item in items if has_trial_if_needed(item)]


def parametrize(metafunc: pytest.Metafunc, session: BenchSession) -> None:
    """Parametrize a test with its trials and thresholds or rules.

    Raises:
        EchobenchError: The options or the thresholds are invalid.
    """
    specs = session.specs
    if "judged" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("judges")
        names = marker.args if marker else ()
        params = [(spec, name) for spec in (*specs.scenarios, *specs.residency) for name in names
                  if session.threshold(name).applies_to(spec)]  # fmt: skip
        metafunc.parametrize(
            "judged", params, ids=[f"{spec.name}-{name}" for spec, name in params], indirect=True
        )
    elif "rule" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("activity")
        activity = Activity(marker.args[0] if marker else Activity.CONFORMANCE)
        params = [(spec, name) for spec in specs.by_rules if spec.activity is activity
                  for name in rules_of(activity)]  # fmt: skip
        ids = [f"{spec.subject}-{name}" for spec, name in params]
        metafunc.parametrize("rule", params, ids=ids, indirect=True)
    else:
        by_size = {f"{spec.subject}-{spec.chunk_seconds:g}s": spec for spec in specs.scenarios}
        metafunc.parametrize("resident", by_size.values(), ids=by_size, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Measure the trials that the tests need, before they run."""
    if not session.config.option.collectonly and not session.testsfailed:
        session.config.stash[SESSION].measure(session.items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, also of a run that was interrupted."""
    if SESSION in session.config.stash:
        session.config.stash[SESSION].finish()
        if session.exitstatus == DISK_FULL_STATUS:  # pytest itself prints no summary then
            reporter = session.config.pluginmanager.getplugin("terminalreporter")
            session.config.stash[SESSION].summarize(reporter)
    if "hypothesis" not in sys.modules:
        # Its plugin would import all of it for an empty summary, which takes almost a second.
        session.config.pluginmanager.unregister(name="hypothesispytest")


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of verdicts, and the paths of the run and its reports."""
    config.stash[SESSION].summarize(terminalreporter)

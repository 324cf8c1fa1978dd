"""Loads and calls installed packages' metrics, by entry points in the group `echobench.metrics`."""

from harness.errors import UsageError
from harness.metrics.measurement import METRICS, Measurement, Metric
from harness.metrics.triallog import TrialLog
from harness.support.entry_points import load, package_of, registered


def load_installed_metrics() -> None:
    """Import the metrics of installed packages, which registers them.

    Raises:
        UsageError: A package can't be imported, or its object isn't a metric of that name.
    """
    for point in registered("metrics"):
        function = load(point)
        if METRICS.get(point.name) is not function:
            where = f"metric {point.name}"
            problem = f"{package_of(point)} registers {point.value}, which isn't one of that name"
            raise UsageError(where, problem, f"a function {point.name}, decorated with @metric")


def call_metric(function: Metric, log: TrialLog) -> Measurement:
    """Compute a metric of a trial; an error in an installed one names it and its module.

    Raises:
        UsageError: An installed metric raised an error, or returned no measurement.
    """
    try:
        found: object = function(log)
    except Exception as error:
        if _is_built_in(function):
            raise
        problem = f"{function.__module__} raised {type(error).__name__} ({error})"
        raise UsageError(_where(function, log), problem, "a Measurement, absent or not") from error
    if not isinstance(found, Measurement):
        problem = f"{function.__module__} returned {found!r:.80}"
        raise UsageError(_where(function, log), problem, "a Measurement, absent or not")
    return found


def _is_built_in(function: Metric) -> bool:
    return function.__module__.startswith("harness.metrics.")


def _where(function: Metric, log: TrialLog) -> str:
    return f"metric {function.__name__}, trial {log.spec.name}"

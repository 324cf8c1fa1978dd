"""Defines the result of a metric, and registers all metrics."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from harness.errors import UsageError
from harness.metrics.triallog import TrialLog
from harness.specs.trial import Activity
from harness.statistics import percentile


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a metric: samples, one value, or the reason why it is absent.

    >>> Measurement(unit="s", samples=(1.0, 2.0, 9.0)).statistic("p50")
    2.0
    """

    unit: str
    """"s", "1" for a ratio, or what is counted."""
    samples: tuple[float, ...] | None = None
    """Raw observations; infinity for an event that did not happen."""
    value: float | None = None
    bounds: tuple[float, float] | None = None
    """Of the value, with 95 % confidence per side, where it was estimated from a sample."""
    count: int | None = None
    """Number of observations that the value is based on."""
    needed: int | None = None
    """Number of observations required for a verdict, where `count` is too small."""
    absent: str | None = None
    """Why there is neither a value nor samples."""

    def statistic(self, name: str) -> float | None:
        """The value, or a percentile of the samples ("p95"); None when absent."""
        if self.samples:
            return percentile(self.samples, share_of(name))
        return self.value


def share_of(statistic: str) -> float:
    """Parse the name of a percentile as a share.

    Raises:
        ValueError: It isn't the name of a percentile.

    >>> share_of("p95"), share_of("p99.9")
    (0.95, 0.999)
    """
    number = float(statistic.removeprefix("p")) if statistic.startswith("p") else -1.0
    if not 0 < number < 100:
        raise ValueError(f"{statistic!r} is no percentile; allowed: p50, p95, p99.9, …")
    return round(number / 100, 9)


Metric: TypeAlias = Callable[[TrialLog], Measurement]
METRICS: dict[str, Metric] = {}
ACTIVITY_OF: dict[str, Activity] = {}
"""By metric, the activity whose trials it is computed for."""


def metric(function: Metric) -> Metric:
    """Register a function as a metric of scenarios, under its own name."""
    return _add(function, Activity.SCENARIO)


def residency_metric(function: Metric) -> Metric:
    """Register a function as a metric of residency probes, under its own name."""
    return _add(function, Activity.RESIDENCY)


def _add(function: Metric, activity: Activity) -> Metric:
    """Register a function.

    Raises:
        UsageError: Another module has a metric of that name.
    """
    name = function.__name__
    module = METRICS.setdefault(name, function).__module__
    if module != function.__module__:
        problem = f"{function.__module__} defines it, and so does {module}"
        raise UsageError(f"metric {name}", problem, "a name that no other metric has")
    METRICS[name], ACTIVITY_OF[name] = function, activity
    return function


def sampled(unit: str, samples: list[float], absent: str) -> Measurement:
    """Make a measurement of samples; without samples it is absent for the reason given."""
    if samples:
        return Measurement(unit=unit, samples=tuple(samples))
    return Measurement(unit=unit, absent=absent)

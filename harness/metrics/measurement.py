"""What a metric returns, and the register of all metrics."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from harness.errors import UsageError
from harness.metrics.triallog import TrialLog
from harness.specs.trial import Activity
from harness.statistics import percentile


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what stands behind it: either samples, or one value, or why there is none.

    >>> Measurement(unit="s", samples=(1.0, 2.0, 9.0)).statistic("p50")
    2.0
    """

    unit: str
    """"s", "1" for a ratio, or what is counted."""
    samples: tuple[float, ...] | None = None
    """Raw and pooled; infinity for what never came."""
    value: float | None = None
    bounds: tuple[float, float] | None = None
    """Of the value, with 95 % confidence a side, where it was estimated from a sample."""
    count: int | None = None
    """How many observations the value rests on."""
    needed: int | None = None
    """How many it takes, where it has too few to be judged; the value is then only a hint."""
    absent: str | None = None
    """Why there is neither; in words."""

    def statistic(self, name: str) -> float | None:
        """The value, or a percentile of the samples ("p95"); None when absent."""
        if self.samples:
            return percentile(self.samples, share_of(name))
        return self.value


def share_of(statistic: str) -> float:
    """The share that a percentile's name means.

    Raises:
        ValueError: It is no such name.

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
"""By metric, the activity whose trials have it."""


def metric(function: Metric) -> Metric:
    """Add a function to the metrics of played scenarios, under its own name."""
    return _add(function, Activity.SCENARIO)


def residency_metric(function: Metric) -> Metric:
    """Add a function to the metrics of residency probes, under its own name."""
    return _add(function, Activity.RESIDENCY)


def _add(function: Metric, activity: Activity) -> Metric:
    """Add a function to the register.

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
    """A measurement of samples; absent for the reason given when there are none."""
    if samples:
        return Measurement(unit=unit, samples=tuple(samples))
    return Measurement(unit=unit, absent=absent)

"""Computes the differences between two trials' figures, with confidence intervals.

The interval of a difference is derived from the two figures' own bounds. Source: Zou and Donner
2008, "Construction of confidence limits about effect measures: a general approach" (MOVER). It
covers the variation within the two runs, but not how a machine varies from hour to hour. Two runs
can't show that; the gate, which measures in turns, can.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.statistics import percentile_bounds
from harness.verdicts.thresholds import Threshold

Interval = tuple[float, float]
MEASURES = {"s", "1", "s/s", "s/chunk"}
"""Units of measured figures; all other figures are counts."""
PERCENTILES = ("p50", "p95")


class Change(StrEnum):
    """How a figure changed, worst first."""

    WORSE = "worse"
    BETTER = "better"
    HIGHER = "higher"
    """Used where no threshold defines the better direction; `LOWER` likewise."""
    LOWER = "lower"
    SAME = "no clear difference"
    UNKNOWN = "can't be said"


@dataclass(frozen=True)
class Difference:
    """One figure of two trials."""

    metric: str
    statistic: str
    unit: str
    base: float | None
    head: float | None
    interval: Interval | None
    """Of head - base, with 95 % confidence per side."""
    effect: float | None
    """Cliff's delta: how much more often a sample of head is above one of base than below."""
    change: Change
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Head - base; None where it is undefined."""
        return None if self.base is None or self.head is None else _minus(self.head, self.base)

    @property
    def ratio(self) -> float | None:
        """Head / base; None where it is undefined."""
        if self.base is None or self.head is None or self.base <= 0 or math.isinf(self.base):
            return None
        return self.head / self.base


def differences(
    base: dict[str, Measurement],
    head: dict[str, Measurement],
    thresholds: dict[str, Threshold],
) -> list[Difference]:
    """Compare all figures that two trials have in common; worse ones come first.

    Args:
        base: Measurements by metric.
        head: Measurements by metric.
        thresholds: They define which percentiles to compare, and which direction is better.
    """
    order = list(Change)
    found = [
        difference(name, statistic, base[name], head[name], lower_is_better(name, thresholds))
        for name in base
        if name in head
        for statistic in _statistics(name, base[name], head[name], thresholds)
    ]
    return sorted(found, key=lambda each: order.index(each.change))


def lower_is_better(metric: str, thresholds: dict[str, Threshold]) -> bool | None:
    """Return which direction is better by a metric's thresholds; None when none limits it."""
    signs = {each.target.sign[0] for each in thresholds.values() if each.metric == metric}
    return signs == {"<"} if len(signs) == 1 else None


def difference(
    metric: str, statistic: str, base: Measurement, head: Measurement, lower_better: bool | None
) -> Difference:
    """Compare one figure."""
    sides = {"base": base, "head": head}
    values = {side: _value(measured, statistic) for side, measured in sides.items()}
    missing = [f"{side}: {sides[side].absent or 'no samples'}"
               for side, value in values.items() if value is None]  # fmt: skip
    interval, effect = None, None
    if values["base"] is None or values["head"] is None:
        change, reason = Change.UNKNOWN, "; ".join(missing)
    else:
        bounds = bounds_of(base, statistic), bounds_of(head, statistic)
        if bounds[0] is not None and bounds[1] is not None:
            interval = mover(values["base"], bounds[0], values["head"], bounds[1])
        if base.samples and head.samples:
            effect = cliffs_delta(base.samples, head.samples)
        counted = head.unit not in MEASURES and all(
            value is not None and float(value).is_integer() for value in values.values()
        )
        change, reason = _change(values["base"], values["head"], interval, counted)
    return Difference(
        metric, statistic, head.unit, values["base"], values["head"], interval, effect,
        _judged(change, lower_better), reason,
    )  # fmt: skip


def _value(measured: Measurement, statistic: str) -> float | None:
    return measured.statistic(statistic) if measured.samples or statistic == "value" else None


def bounds_of(measurement: Measurement, statistic: str) -> Interval | None:
    """Return the bounds of a figure; those of a percentile allow for autocorrelated samples.

    Of `n` samples with a lag-1 correlation of `r`, only `n (1 - r) / (1 + r)` count.
    """
    if not measurement.samples:
        return measurement.bounds
    ordered, count = sorted(measurement.samples), len(measurement.samples)
    effective = max(1, int(count * independent_share(measurement.samples)))
    low, high = percentile_bounds([float(rank) for rank in range(effective)], share_of(statistic))
    scale = count / effective
    last = min(count - 1, math.ceil((high + 1) * scale) - 1) if math.isfinite(high) else None
    return (
        -math.inf if math.isinf(low) else ordered[int(low * scale)],
        math.inf if last is None else ordered[last],
    )


def independent_share(samples: Sequence[float]) -> float:
    """Return the share of samples that count, by the rank correlation of successive ones.

    >>> independent_share([1.0, 2.0, 1.0, 2.0]), round(independent_share(range(100)), 2)
    (1.0, 0.02)
    """
    if len(samples) < 3:
        return 1.0
    values = np.round(samples, 9)  # rounding errors of successive samples would correlate
    ordered = np.sort(values)
    ranks = (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")) / 2
    ranks -= ranks.mean()
    spread = float(ranks @ ranks)
    r = max(0.0, min(0.98, float(ranks[1:] @ ranks[:-1]) / spread)) if spread else 0.0
    return (1 - r) / (1 + r)


def mover(base: float, base_bounds: Interval, head: float, head_bounds: Interval) -> Interval:
    """Return the interval of head - base; infinite where it can't be bounded.

    >>> mover(1.0, (0.7, 1.4), 2.0, (1.7, 2.4))
    (0.5, 1.5)
    """
    if math.isinf(base) or math.isinf(head):
        return _minus(head_bounds[0], base_bounds[1]), _minus(head_bounds[1], base_bounds[0])
    apart = head - base
    low = math.hypot(head - head_bounds[0], base_bounds[1] - base)
    high = math.hypot(head_bounds[1] - head, base - base_bounds[0])
    return apart - low, apart + high


def cliffs_delta(base: Sequence[float], head: Sequence[float]) -> float:
    """Return P(head > base) - P(head < base) for random samples, in [-1, 1].

    Source: Cliff 1993, "Dominance statistics".

    >>> cliffs_delta([1.0, 2.0], [2.0, 3.0])
    0.75
    """
    ordered = np.sort(np.asarray(base, float))
    above = np.searchsorted(ordered, head, side="left").sum()
    below = (len(ordered) - np.searchsorted(ordered, head, side="right")).sum()
    return float(above - below) / (len(base) * len(head))


def _statistics(
    name: str, base: Measurement, head: Measurement, thresholds: dict[str, Threshold]
) -> list[str]:
    if not (base.samples or head.samples):
        return ["value"]
    limited = [each.statistic for each in thresholds.values()
               if each.metric == name and each.statistic != "value"]  # fmt: skip
    return list(dict.fromkeys([*PERCENTILES, *limited]))


def _change(
    base: float, head: float, interval: Interval | None, counted: bool
) -> tuple[Change, str]:
    if base == head:
        return Change.SAME, ""
    if interval is None:
        if not counted:
            return Change.UNKNOWN, "one observation each; use the gate to rule out chance"
        return (Change.HIGHER if head > base else Change.LOWER), ""
    if interval == (-math.inf, math.inf):
        return Change.UNKNOWN, "too few samples to bound the difference"
    if interval[0] > 0:
        return Change.HIGHER, ""
    return (Change.LOWER, "") if interval[1] < 0 else (Change.SAME, "")


def _judged(change: Change, lower_better: bool | None) -> Change:
    if lower_better is None or change not in (Change.HIGHER, Change.LOWER):
        return change
    return Change.BETTER if lower_better == (change is Change.LOWER) else Change.WORSE


def _minus(one: float, other: float) -> float:
    """Subtract; the difference of two infinities, which mean "never", is 0."""
    return 0.0 if one == other else one - other

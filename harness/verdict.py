"""Verdicts: what a measurement says about a threshold."""

from enum import StrEnum

import msgspec

from harness.clock import ClockKind
from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.statistics import claim, percentile_bounds, samples_needed
from harness.thresholds import Limit, Threshold


class Standing(StrEnum):
    """The kinds of verdicts, worst last."""

    PASS = "pass"
    """The target is met."""
    WARN = "warn"
    """The minimum is met."""
    INSUFFICIENT = "insufficient"
    """Too few samples to say."""
    UNAVAILABLE = "unavailable"
    """There is no figure, for a known reason."""
    FAIL = "fail"
    """The minimum is broken."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One threshold judged on one trial."""

    threshold: str
    standing: Standing
    value: float | None
    unit: str
    count: int | None
    """Observations behind the value."""
    low: float | None
    """95 % confidence bounds of the value, one a side; None where there are none."""
    high: float | None
    target: str
    minimum: str
    reason: str = ""
    """Why it isn't a pass, in words."""


def judge(threshold: Threshold, measurement: Measurement, clock: ClockKind) -> Verdict:
    """Judge a measurement.

    A percentile is judged by the exact binomial test of "this share of all chunks keeps within the
    limit", an estimated value by its confidence bounds, a count or a single time by itself.
    """
    value = measurement.statistic(threshold.statistic)
    standing, reason = _judge_value(threshold, measurement, value)
    if clock not in threshold.clocks:
        standing = Standing.UNAVAILABLE
        reason = f"not true on the {clock} clock; run with --clock {threshold.clocks[0]}"
    bounds = measurement.bounds
    if measurement.samples:
        bounds = percentile_bounds(measurement.samples, share_of(threshold.statistic))
    count = len(measurement.samples) if measurement.samples else measurement.count
    return Verdict(
        threshold=threshold.name,
        standing=standing,
        value=value,
        unit=measurement.unit,
        count=count,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        target=str(threshold.target),
        minimum=str(threshold.minimum),
        reason=reason,
    )


def _judge_value(
    threshold: Threshold, measurement: Measurement, value: float | None
) -> tuple[Standing, str]:
    if value is None:
        return Standing.UNAVAILABLE, measurement.absent or "no figure"
    if measurement.needed is not None:
        return Standing.INSUFFICIENT, f"{measurement.count} of {measurement.needed} samples needed"
    for limit, standing in ((threshold.target, Standing.PASS), (threshold.minimum, Standing.WARN)):
        answer, needed = _claim(limit, threshold, measurement, value)
        if answer == "proven":
            return standing, "" if standing is Standing.PASS else f"target {limit} missed"
    if answer == "refuted":
        return Standing.FAIL, f"minimum {threshold.minimum} broken"
    return Standing.INSUFFICIENT, needed


def _claim(
    limit: Limit, threshold: Threshold, measurement: Measurement, value: float
) -> tuple[str, str]:
    """Whether a limit's claim is proven, refuted or open, and what would close it."""
    if measurement.samples:
        share = share_of(threshold.statistic)
        violations = sum(not limit.allows(sample) for sample in measurement.samples)
        count = len(measurement.samples)
        needed = samples_needed(violations, share)
        reason = f"{count} samples, {violations} beyond {limit}; {needed} needed"
        return claim(violations, count, share), reason
    bounds = measurement.bounds or (value, value)
    if limit.allows(limit.worse_end(bounds)):
        return "proven", ""
    if not limit.allows(limit.better_end(bounds)):
        return "refuted", ""
    return "open", f"between {bounds[0]:.3g} and {bounds[1]:.3g}, on either side of {limit}"


def worst(standings: list[Standing]) -> Standing:
    """The worst of several standings; `PASS` of none.

    >>> worst([Standing.PASS, Standing.FAIL, Standing.WARN])
    <Standing.FAIL: 'fail'>
    """
    order = list(Standing)
    return max(standings, key=order.index, default=Standing.PASS)

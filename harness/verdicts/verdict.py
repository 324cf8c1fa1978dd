"""Verdicts: what a measurement says about a threshold."""

from enum import StrEnum

import msgspec

from harness.clock import ClockKind
from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.statistics import claim, percentile_bounds, samples_needed
from harness.verdicts.thresholds import Limit, Threshold


class VerdictLevel(StrEnum):
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
    metric: str
    statistic: str
    level: VerdictLevel
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
    mistake = _mistaken(threshold.statistic, measurement)
    if mistake:
        return _verdict(
            threshold, VerdictLevel.UNAVAILABLE, mistake, None, measurement.unit, None, None
        )
    value = measurement.statistic(threshold.statistic)
    level, reason = _judge_value(threshold, measurement, value)
    if clock not in threshold.clocks:
        level = VerdictLevel.UNAVAILABLE
        reason = f"not true on the {clock} clock; run with --clock {threshold.clocks[0]}"
    bounds = measurement.bounds
    if measurement.samples:
        bounds = percentile_bounds(measurement.samples, share_of(threshold.statistic))
    count = len(measurement.samples) if measurement.samples else measurement.count
    return _verdict(threshold, level, reason, value, measurement.unit, count, bounds)


def _mistaken(statistic: str, measurement: Measurement) -> str | None:
    """Say why a statistic can't be had of a measurement at all; None when it can."""
    if measurement.samples and statistic == "value":
        return "it is many samples; say which percentile, such as statistic = 'p95'"
    if measurement.value is not None and statistic != "value":
        return "it is one value, which has no percentile; leave out statistic"
    return None


def fail(threshold: Threshold, reason: str) -> Verdict:
    """The verdict on a trial that ended without figures."""
    return _verdict(threshold, VerdictLevel.FAIL, reason, None, "", None, None)


def unjudged(threshold: Threshold, reason: str) -> Verdict:
    """The verdict on a trial that something beside it spoiled."""
    return _verdict(threshold, VerdictLevel.UNAVAILABLE, reason, None, "", None, None)


def _verdict(
    threshold: Threshold,
    level: VerdictLevel,
    reason: str,
    value: float | None,
    unit: str,
    count: int | None,
    bounds: tuple[float, float] | None,
) -> Verdict:
    return Verdict(
        threshold=threshold.name,
        metric=threshold.metric,
        statistic=threshold.statistic,
        level=level,
        value=value,
        unit=unit,
        count=count,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
        target=str(threshold.target),
        minimum=str(threshold.minimum),
        reason=reason,
    )


def _judge_value(
    threshold: Threshold, measurement: Measurement, value: float | None
) -> tuple[VerdictLevel, str]:
    if value is None:
        return VerdictLevel.UNAVAILABLE, measurement.absent or "no figure"
    if measurement.needed is not None:
        return (
            VerdictLevel.INSUFFICIENT,
            f"{measurement.count} of {measurement.needed} samples needed",
        )
    target, open_target = _claim(threshold.target, threshold, measurement, value)
    if target == "proven":
        return VerdictLevel.PASS, ""
    minimum, open_minimum = _claim(threshold.minimum, threshold, measurement, value)
    if minimum == "proven":
        missed = f"target {threshold.target} missed"
        return (
            VerdictLevel.WARN,
            missed if target == "refuted" else f"target unproven: {open_target}",
        )
    if minimum == "refuted":
        return VerdictLevel.FAIL, f"minimum {threshold.minimum} broken"
    return VerdictLevel.INSUFFICIENT, open_minimum


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


def worst(levels: list[VerdictLevel]) -> VerdictLevel:
    """The worst of several levels; `PASS` of none.

    >>> worst([VerdictLevel.PASS, VerdictLevel.FAIL, VerdictLevel.WARN])
    <VerdictLevel.FAIL: 'fail'>
    """
    order = list(VerdictLevel)
    return max(levels, key=order.index, default=VerdictLevel.PASS)

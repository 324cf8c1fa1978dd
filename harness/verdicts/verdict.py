"""Verdicts: what a measurement says about a threshold."""

from enum import StrEnum

import msgspec

from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.statistics import claim, percentile_bounds, samples_needed
from harness.verdicts.limits import Limit
from harness.verdicts.thresholds import Threshold


class VerdictLevel(StrEnum):
    """The kinds of verdicts, worst last."""

    PASS = "pass"
    """The target is met."""
    WARN = "warn"
    """The minimum is met."""
    SUSPECT = "suspect"
    """A sign that something may be wrong, which has harmless causes too; it fails nothing."""
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
    target: Limit
    minimum: Limit
    reason: str = ""
    """Why it isn't a pass, in words."""


def judge(threshold: Threshold, measurement: Measurement, chunk_s: float) -> Verdict:
    """Judge a measurement.

    A percentile is judged by the exact binomial test of "this share of all chunks keeps within the
    limit", an estimated value by its confidence bounds, a count or a single time by itself.

    Args:
        threshold: What it is held to.
        measurement: The figure.
        chunk_s: The length of the trial's chunks, with which a limit may grow.
    """
    mistake = _mistaken(threshold.statistic, measurement)
    if mistake:
        return without_figure(
            threshold, VerdictLevel.UNAVAILABLE, mistake, chunk_s, measurement.unit
        )
    verdict = without_figure(threshold, VerdictLevel.PASS, "", chunk_s, measurement.unit)
    value = measurement.statistic(threshold.statistic)
    level, reason = _judge_value(verdict, measurement, value)
    if threshold.explained_by and level in (VerdictLevel.WARN, VerdictLevel.FAIL):
        level = VerdictLevel.SUSPECT
        reason += f"; explained by {threshold.explained_by} too, so it fails nothing by itself"
    bounds = measurement.bounds
    if measurement.samples:
        bounds = percentile_bounds(measurement.samples, share_of(threshold.statistic))
    return msgspec.structs.replace(
        verdict,
        level=level,
        reason=reason,
        value=value,
        count=len(measurement.samples) if measurement.samples else measurement.count,
        low=bounds[0] if bounds else None,
        high=bounds[1] if bounds else None,
    )


def without_figure(
    threshold: Threshold, level: VerdictLevel, reason: str, chunk_s: float, unit: str = ""
) -> Verdict:
    """The verdict where there is no figure to judge."""
    return Verdict(
        threshold=threshold.name,
        metric=threshold.metric,
        statistic=threshold.statistic,
        level=level,
        value=None,
        unit=unit,
        count=None,
        low=None,
        high=None,
        target=threshold.target.at(chunk_s),
        minimum=threshold.minimum.at(chunk_s),
        reason=reason,
    )


def _mistaken(statistic: str, measurement: Measurement) -> str | None:
    """Say why a measurement can't have a statistic; None when it can."""
    if measurement.samples and statistic == "value":
        return "it is many samples; say which percentile, such as statistic = 'p95'"
    if measurement.value is not None and statistic != "value":
        return "it is one value, which has no percentile; leave out statistic"
    return None


def _judge_value(
    held_to: Verdict, measurement: Measurement, value: float | None
) -> tuple[VerdictLevel, str]:
    if value is None:
        return VerdictLevel.UNAVAILABLE, measurement.absent or "no figure"
    if measurement.needed is not None:
        return (
            VerdictLevel.INSUFFICIENT,
            f"{measurement.count} of {measurement.needed} samples needed",
        )
    target, open_target = _claim(held_to.target, held_to.statistic, measurement, value)
    if target == "proven":
        return VerdictLevel.PASS, ""
    minimum, open_minimum = _claim(held_to.minimum, held_to.statistic, measurement, value)
    if minimum == "proven":
        missed = f"target {held_to.target} missed"
        return (
            VerdictLevel.WARN,
            missed if target == "refuted" else f"target unproven: {open_target}",
        )
    if minimum == "refuted":
        return VerdictLevel.FAIL, f"minimum {held_to.minimum} broken"
    return VerdictLevel.INSUFFICIENT, open_minimum


def _claim(limit: Limit, statistic: str, measurement: Measurement, value: float) -> tuple[str, str]:
    """Whether a limit's claim is proven, refuted or open, and what would close it."""
    if measurement.samples:
        share = share_of(statistic)
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

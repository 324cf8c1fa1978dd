"""Draws a histogram of a metric's samples, with its percentiles and their limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.metrics import Measurement
from harness.metrics.measurement import share_of
from harness.statistics import percentile, percentile_bounds
from harness.verdicts.verdict import Verdict
from reports.charts import svg
from reports.formatting import limit_with_unit, number, with_unit

PERCENTILES = ("p50", "p95")
MAX_BINS = 40
LATER, NEVER = (0.83, 0.07), (0.92, 0.07)
"""Begin and width of the bars for samples beyond the scale, and for infinite ones."""
PLOT_PX, ROW_PX, COUNT_PX, INTERVAL_PX = 72, 16, 12, 4


@dataclass(frozen=True)
class Scale:
    """The range of samples that is drawn to scale, in bins of equal width."""

    low: float
    step: float
    bins: int
    width: float
    """Share of the chart's width; the rest is for samples beyond the scale."""

    @property
    def high(self) -> float:
        """The end of the range."""
        return self.low + self.step * self.bins

    def x(self, value: float) -> float:
        """Return a value's position as a share of the chart's width."""
        if math.isinf(value):
            return NEVER[0] + NEVER[1] / 2
        if value > self.high:
            return LATER[0] + LATER[1] / 2
        return self.width * max(0.0, (value - self.low) / (self.step * self.bins))


def distribution(
    name: str, measurement: Measurement, held_to: Sequence[Verdict], scale: Scale
) -> Markup:
    """Draw a histogram.

    Args:
        name: The metric's name.
        measurement: With at least one sample.
        held_to: Verdicts on percentiles of the metric, with their limits.
        scale: The scale of the x axis.
    """
    samples = measurement.samples or ()
    marks = [
        svg.Mark(scale.x(value), f"{share} {shown(value, measurement.unit)}", "percentile")
        for share in PERCENTILES
        if (value := measurement.statistic(share)) is not None
    ]
    intervals = [_certainty(measurement, share, scale) for share in PERCENTILES]
    for verdict in held_to:
        for title, limit in (("target", verdict.target), ("minimum", verdict.minimum)):
            if limit.number <= scale.high:
                words = f"{title} {verdict.statistic} {limit_with_unit(limit)}"
                marks.append(svg.Mark(scale.x(limit.number), words, "limit"))
    marks.sort(key=lambda mark: mark.x)
    rows = svg.rows_for(marks)
    top = ROW_PX * (max(rows) + 1) + COUNT_PX
    bottom = top + PLOT_PX
    parts = [*_bars(samples, scale, top, bottom), svg.line((0, 1), (bottom, bottom), "base")]
    parts += [svg.bar(left, right - left, bottom - INTERVAL_PX, bottom, "certain", title)
              for left, right, title in intervals]  # fmt: skip
    for mark, row in zip(marks, rows, strict=True):
        parts += svg.draw_mark(mark, row, ROW_PX, bottom)
    for value in svg.round_values(scale.low, scale.high, 5):
        words = number(value) if value else with_unit(value, measurement.unit)
        parts.append(svg.tick(scale.x(value), bottom, words))
    descriptions = [*(mark.words for mark in marks), *(title for _, _, title in intervals)]
    label = f"{name}: {len(samples)} samples; {'; '.join(descriptions)}"
    return svg.chart(bottom + svg.AXIS_PX, label, parts)


def _certainty(measurement: Measurement, share: str, scale: Scale) -> tuple[float, float, str]:
    """Return a percentile's confidence bounds as shares of the width, and in words."""
    low, high = percentile_bounds(measurement.samples or (), share_of(share))
    left = 0.0 if math.isinf(low) else scale.x(low)
    right = 1.0 if math.isinf(high) else scale.x(high)
    words = f"{shown(low, measurement.unit)} to {shown(high, measurement.unit)}"
    return left, max(right, left + 0.003), f"{share}, 95 % bounds: {words}"


def scale_for(samples: Sequence[float], targets: Sequence[float]) -> Scale:
    """Choose bins that include nearly all samples and the targets.

    >>> scale_for([0.2, 0.5, 1.9, math.inf], [2.0])
    Scale(low=0.0, step=0.1, bins=21, width=0.8)
    """
    finite = [sample for sample in samples if math.isfinite(sample)]
    low = min([0.0, *finite])
    high = max([percentile(finite, 0.99) if finite else 0.0, *targets, low + 1e-3])
    step = svg.nice_step(1.02 * (high - low), MAX_BINS)
    first = math.floor(low / step)
    bins = math.floor(high / step) + 1 - first
    all_fit = all(sample < (first + bins) * step for sample in samples)
    return Scale(first * step, step, bins, 1.0 if all_fit else 0.8)


def shown(value: float, unit: str) -> str:
    """Format a percentile or one of its bounds."""
    if value == -math.inf:
        return "anything"
    return "never" if math.isinf(value) else with_unit(value, unit)


def _bars(samples: Sequence[float], scale: Scale, top: float, bottom: float) -> list[Markup]:
    counts = [0] * scale.bins
    later = never = 0
    for sample in samples:
        if math.isinf(sample):
            never += 1
        elif sample >= scale.high:
            later += 1
        else:
            counts[min(scale.bins - 1, int((sample - scale.low) / scale.step))] += 1
    per_count = (bottom - top) / max(*counts, later, never, 1)
    width = scale.width / scale.bins
    parts = []
    for index, count in enumerate(counts):
        if count:
            begin, y = scale.low + index * scale.step, bottom - per_count * count
            title = f"{number(begin)} to {number(begin + scale.step)}: {count}"
            parts.append(svg.bar(index * width, 0.9 * width, y, bottom, "bar", title))
    for count, (x, room), kind in ((later, LATER, "bar"), (never, NEVER, "drop")):
        if count:
            y, words = bottom - per_count * count, "later" if kind == "bar" else "never"
            parts.append(svg.bar(x, room, y, bottom, kind))
            parts.append(svg.text(x + room / 2, y - 3, str(count), "middle", "tick"))
            parts.append(svg.tick(x + room / 2, bottom, words))
    return parts

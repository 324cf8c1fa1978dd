"""Draws differences as a forest plot: each figure's relative change with its interval."""

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from reports.charts import svg
from reports.compare.differences import Change, Difference
from reports.formatting import number

ROW_PX, DOT_SHARE, DOT_PX = 34, 0.006, 8
MIN_SPAN, MAX_SPAN = 0.1, 1.0
"""Limits of the scale to each side, as shares of base's value; longer intervals are clipped."""


def forest(differences: Sequence[Difference]) -> Markup | None:
    """Draw the differences that have an interval and a positive base.

    Args:
        differences: Those of one trial.

    Returns:
        The chart; None when there is nothing to draw.
    """
    drawn = [each for each in differences if _shares(each) is not None]
    if not drawn:
        return None
    span = _span(drawn)
    bottom = ROW_PX * len(drawn)
    parts = [
        svg.line((0.5, 0.5), (0, bottom), "base"),
        *_axis(span, bottom),
        *(part for row, each in enumerate(drawn) for part in _row(each, row, span)),
    ]
    label = "; ".join(f"{_name(each)}: {each.change}" for each in drawn)
    return svg.chart(bottom + svg.AXIS_PX, f"change of each figure: {label}", parts)


def _shares(each: Difference) -> tuple[float, float, float] | None:
    """Return the difference and its interval as shares of base's value."""
    change = each.difference
    if each.interval is None or not each.base or change is None:
        return None
    if each.base < 0 or not all(map(math.isfinite, (each.base, change))):
        return None
    low, high = each.interval
    return low / each.base, change / each.base, high / each.base


def _span(drawn: Sequence[Difference]) -> float:
    ends = [abs(end) for each in drawn for end in (_shares(each) or ()) if math.isfinite(end)]
    return min(MAX_SPAN, max([MIN_SPAN, *ends]))


def _row(each: Difference, row: int, span: float) -> Iterator[Markup]:
    shares = _shares(each)
    assert shares is not None
    low, middle, high = (0.5 + 0.5 * max(-1.0, min(1.0, share / span)) for share in shares)
    y = ROW_PX * row + 24
    kind = {Change.WORSE: "worse", Change.BETTER: "better"}.get(each.change, "even")
    words = f"{_name(each)} {'+' if shares[1] > 0 else ''}{number(round(100 * shares[1], 1))} %"
    yield svg.text(0, y - 11, words, "start", "lane")
    yield svg.line((low, high), (y, y), f"range {kind}")
    left = max(0.0, min(1 - DOT_SHARE, middle - DOT_SHARE / 2))
    yield svg.bar(left, DOT_SHARE, y - DOT_PX / 2, y + DOT_PX / 2, f"dot {kind}", words)


def _axis(span: float, bottom: float) -> Iterator[Markup]:
    for value in svg.round_values(-span, span, 6):
        x = 0.5 + 0.5 * value / span
        if value:
            yield svg.line((x, x), (0, bottom), "grid")
        yield svg.tick(x, bottom, f"{'+' if value > 0 else ''}{number(round(100 * value, 6))} %")


def _name(each: Difference) -> str:
    return each.metric if each.statistic == "value" else f"{each.metric} {each.statistic}"

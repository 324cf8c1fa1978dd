"""A curve with a chosen point, such as what a filter lets through against what it loses.

This is the place for a trial's figures that are no single value. `CURVES` holds functions that make
one of a trial's log, or None where the trial has nothing for it; the page draws them all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from harness.metrics import TrialLog
from harness.metrics.vad import vad_roc
from reports.charts import svg
from reports.formatting import number

TITLE_PX, PLOT_PX, DOT_PX = 20, 200, 5
MIN_SPAN = 1e-9
MAX_POINTS = 200
"""More wouldn't be told apart."""


@dataclass(frozen=True)
class Curve:
    """Points in an order that means something, of which one was chosen."""

    title: str
    x_name: str
    y_name: str
    points: Sequence[tuple[float, float]]
    """Finite; in the order in which they are joined."""
    chosen: tuple[float, float] | None = None
    """What was in force in the trial; needn't be one of the points."""
    chosen_words: str = ""
    """What it is, such as "threshold 0.5"."""
    note: str = ""
    """What to read off it, in a sentence."""


def filter_curve(log: TrialLog) -> Curve | None:
    """What the filter before the queue loses against what it lets through, by its threshold."""
    points = vad_roc(log)
    chosen = next((point for point in points if point.is_chosen), None)
    if chosen is None:
        return None
    return Curve(
        title="The filter before the queue",
        x_name="silence let through",
        y_name="speech taken out",
        points=[(point.false_acceptance, point.false_rejection) for point in points],
        chosen=(chosen.false_acceptance, chosen.false_rejection),
        chosen_words=f"opens at {chosen.opens_at:g}",
        note="Shares of frames, the run-up and the wait after speech included. To the left the "
        "filter opens at a higher probability: it saves more, and loses more.",
    )


CURVES: list[Callable[[TrialLog], Curve | None]] = [filter_curve]
"""What the page draws of each trial, in order."""


def curves_of(log: TrialLog) -> list[Curve]:
    """All curves of a trial that have something to show."""
    made = (make(log) for make in CURVES)
    return [curve for curve in made if curve is not None and curve.points]


def draw_curve(curve: Curve) -> Markup:
    """Draw a curve; both axes begin at 0 or below, and end beyond the last point."""
    ends = [*curve.points, *([curve.chosen] if curve.chosen else [])]
    low_x, high_x = _span(x for x, _ in ends)
    low_y, high_y = _span(y for _, y in ends)
    bottom = TITLE_PX + PLOT_PX

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = 0.02 + 0.96 * (point[0] - low_x) / (high_x - low_x)
        return x, bottom - PLOT_PX * (point[1] - low_y) / (high_y - low_y)

    def parts() -> Iterator[Markup]:
        yield svg.text(0, 0.65 * TITLE_PX, f"{curve.y_name} over {curve.x_name}", "start", "lane")
        for value in filter(None, svg.round_values(low_y, high_y, 4)):
            yield from svg.level(at((low_x, value))[1], number(value))
        for value in filter(None, svg.round_values(low_x, high_x, 4)):
            yield svg.tick(at((value, low_y))[0], bottom, number(value))
        yield svg.line((0, 1), (bottom, bottom), "base")
        joined = [at(point) for point in thinned(curve.points)]
        for (x1, y1), (x2, y2) in pairwise(joined):
            yield svg.line((x1, x2), (y1, y2), "curve")
        if curve.chosen is not None:
            x, y = at(curve.chosen)
            words = curve.chosen_words or "chosen"
            anchor: svg.Anchor = "start" if x < 0.5 else "end"
            yield svg.circle(x, y, DOT_PX, "chosen", words)
            yield svg.text(x, y - 9, words, anchor, "percentile-text", 8 if x < 0.5 else -8)

    chosen = (
        ""
        if curve.chosen is None
        else f"; {curve.chosen_words or 'chosen'}: "
        + ", ".join(number(value) for value in curve.chosen)
    )
    label = f"{curve.title}: {curve.y_name} over {curve.x_name}, {len(curve.points)} points{chosen}"
    return svg.chart(bottom + svg.AXIS_PX, label, parts())


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """No more points than can be told apart, the first and the last among them.

    >>> len(thinned([(0.0, 0.0)] * 1000)), thinned([(1.0, 2.0)])
    (200, [(1.0, 2.0)])
    """
    if len(points) <= MAX_POINTS:
        return list(points)
    step = (len(points) - 1) / (MAX_POINTS - 1)
    return [points[round(index * step)] for index in range(MAX_POINTS)]


def _span(values: Iterable[float]) -> tuple[float, float]:
    every = [0.0, *values]
    low, high = min(every), max(every)
    if high - low < MIN_SPAN:
        return low, low + 1.0
    return low, high + 0.05 * (high - low)

"""Draws curves with a chosen point, such as a filter's false acceptance and rejection.

Curves show figures of a trial that aren't a single value. `CURVES` holds functions that return a
curve for a trial's log, or None; the page draws all of them.
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
"""More points can't be distinguished."""


@dataclass(frozen=True)
class Curve:
    """Ordered points, and the chosen one."""

    title: str
    x_name: str
    y_name: str
    points: Sequence[tuple[float, float]]
    """Finite; in the order in which they are joined."""
    chosen: tuple[float, float] | None = None
    """The point that the trial used; needn't be one of `points`."""
    chosen_words: str = ""
    """The chosen point's label, such as "threshold 0.5"."""
    note: str = ""
    """An explanation, in a sentence."""


def filter_curve(log: TrialLog) -> Curve | None:
    """Return false rejection over false acceptance of the filter before the queue, by threshold."""
    points = vad_roc(log)
    chosen = next((point for point in points if point.is_chosen), None)
    if chosen is None:
        return None
    return Curve(
        title="Voice filter before the queue",
        x_name="silence passed (share of frames)",
        y_name="speech removed (share of frames)",
        points=[(point.false_acceptance, point.false_rejection) for point in points],
        chosen=(chosen.false_acceptance, chosen.false_rejection),
        chosen_words=f"opens at {chosen.opens_at:g}",
        note="Includes the padding before and after speech. Points to the left use a higher "
        "threshold: less silence passes, and more speech is removed.",
    )


CURVES: list[Callable[[TrialLog], Curve | None]] = [filter_curve]
"""The curves that the page draws for each trial, in order."""


def curves_of(log: TrialLog) -> list[Curve]:
    """Return all curves of a trial that have points."""
    made = (make(log) for make in CURVES)
    return [curve for curve in made if curve is not None and curve.points]


def draw_curve(curve: Curve) -> Markup:
    """Draw a curve; both axes begin at 0 or below, and end after the last point."""
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
    """Reduce points to at most `MAX_POINTS`, including the first and the last.

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

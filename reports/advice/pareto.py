"""Draws the choices in two charts: word error rate over latency, and over CPU use.

Better choices are nearer to the lower left corner. Those on the Pareto front are filled. The
numbers are those of the page's table.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup

from reports.advice.candidates import Candidate, pareto_front
from reports.charts import svg
from reports.formatting import number

TITLE_PX, PLOT_PX, AXIS_PX, DOT_PX, RING_PX = 20, 190, 22, 9, 13
LEFT, RIGHT = 0.06, 0.96
"""Shares of the width between which choices are drawn."""


def pareto(candidates: Sequence[Candidate], chosen: Candidate | None) -> list[Markup]:
    """Draw the choices whose figures are known and finite.

    Args:
        candidates: All choices.
        chosen: The one to highlight.

    Returns:
        Two charts; none when there is nothing to draw.
    """
    drawn = [each for each in candidates if each.figures and all(map(math.isfinite, each.figures))]
    if not drawn:
        return []
    front = pareto_front(drawn)
    return [
        _scatter("word error rate over median latency (s)", "s", drawn, front, chosen,
                 lambda each: each.latency_s or 0.0),
        _scatter("word error rate over CPU use (share of one core)", "cores", drawn, front, chosen,
                 lambda each: each.cpu or 0.0),
    ]  # fmt: skip


def _scatter(
    title: str,
    unit: str,
    drawn: Sequence[Candidate],
    front: Sequence[Candidate],
    chosen: Candidate | None,
    x_of: Callable[[Candidate], float],
) -> Markup:
    values = [x_of(each) for each in drawn]
    low_x = 1.15 * min(0.0, *values)  # wrong word times can make a latency negative
    high_x = 1.15 * max(0.0, *values) or (0.0 if low_x else 1.0)
    highs = [each.wer_bounds[1] if each.wer_bounds else each.wer or 0.0 for each in drawn]
    most_y = 1.1 * max(highs) or 0.01
    bottom = TITLE_PX + PLOT_PX

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - low_x) / (high_x - low_x)

    def y(value: float) -> float:
        return bottom - PLOT_PX * value / most_y

    def parts() -> Iterator[Markup]:
        yield svg.text(0, 0.65 * TITLE_PX, title, "start", "lane")
        yield from _axes((low_x, high_x), most_y, unit, x, y, bottom)
        for each in sorted(drawn, key=lambda each: each is chosen):
            kind = "front" if each in front else "behind"
            at, height = x(x_of(each)), y(each.wer or 0.0)
            if each.wer_bounds:
                yield svg.line((at, at), (y(each.wer_bounds[0]), y(each.wer_bounds[1])), "range")
            if each is chosen:
                yield svg.circle(at, height, RING_PX, "ring")
            words = f"{each.number}: {number(x_of(each))} {unit}, WER {number(each.wer or 0.0)}"
            yield svg.circle(at, height, DOT_PX, f"choice {kind}", words)
            yield svg.text(at, height + 4, str(each.number), "middle", f"number {kind}")

    points = "; ".join(f"{each.number}: {number(x_of(each))} {unit}, {number(each.wer or 0.0)}"
                     for each in drawn)  # fmt: skip
    return svg.chart(bottom + AXIS_PX, f"{title}: {points}", parts())


def _axes(
    span_x: tuple[float, float],
    most_y: float,
    unit: str,
    x: Callable[[float], float],
    y: Callable[[float], float],
    bottom: float,
) -> Iterator[Markup]:
    step = svg.nice_step(most_y, 4)
    for index in range(int(most_y / step) + 1):
        height = y(index * step)
        yield svg.line((0, 1), (height, height), "base" if not index else "grid")
        if index:
            words = f"{number(round(100 * index * step, 6))} %"
            yield svg.text(0, height - 3, words, "start", "tick")
    for value in svg.round_values(*span_x, 4):
        words = number(value) if value else f"0 {unit}"
        anchor: svg.Anchor = "middle" if value else "start"
        place = 0 if value == span_x[0] == 0 else x(value)
        yield svg.text(place, bottom + 0.75 * AXIS_PX, words, anchor, "tick")

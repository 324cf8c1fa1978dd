"""Builds small SVG charts as wide as the page: x in shares of the width, y in pixels.

Nothing is scaled, so text keeps its size on a phone. Colours come from CSS classes, so a chart
follows the page's light and dark mode. All text is escaped.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from harness.support.sanitize import sanitize

Anchor = Literal["start", "middle", "end"]

AXIS_PX = 20
"""Height of an x axis' labels."""
LETTER_SHARE = 0.02
"""Maximum width of a letter, as a share of the narrowest chart."""


def element(name: str, attributes: Mapping[str, object], *children: str) -> Markup:
    """Make an element; attributes and texts are escaped, child elements are kept.

    >>> element("text", {"x": "5%"}, "a < b")
    Markup('<text x="5%">a &lt; b</text>')
    """
    inside = Markup("").join(
        child if isinstance(child, Markup) else escape(sanitize(child)) for child in children
    )
    pairs = Markup("").join(
        Markup(' {}="{}"').format(key, sanitize(str(value))) for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), pairs, inside)


def share(value: float) -> str:
    """Format a share of the width for SVG.

    >>> share(0.123456), share(1)
    ('12.346%', '100%')
    """
    return f"{round(100 * value, 3):g}%"


def pixels(value: float) -> str:
    """Format a length in pixels, to a tenth."""
    return f"{round(value, 1):g}"


def chart(height: float, label: str, parts: Iterable[Markup]) -> Markup:
    """Make a chart as wide as its container.

    Args:
        height: In pixels.
        label: A description for screen readers.
        parts: Its elements.
    """
    attributes = {
        "class": "chart",
        "width": "100%",
        "height": pixels(height),
        "role": "img",
        "aria-label": label,
    }
    return element("svg", attributes, Markup("\n").join(parts))


def bar(x: float, width: float, top: float, bottom: float, kind: str, title: str = "") -> Markup:
    """Make a bar between two shares of the width; `title` is its tooltip."""
    attributes = {
        "class": kind,
        "x": share(x),
        "width": share(width),
        "y": pixels(top),
        "height": pixels(max(0.0, bottom - top)),
    }
    return element("rect", attributes, *([element("title", {}, title)] if title else []))


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> Markup:
    """Make a circle; `title` is its tooltip."""
    attributes = {"class": kind, "cx": share(x), "cy": pixels(y), "r": pixels(radius)}
    return element("circle", attributes, *([element("title", {}, title)] if title else []))


def line(x: tuple[float, float], y: tuple[float, float], kind: str) -> Markup:
    """Make a straight line."""
    ends = {"x1": share(x[0]), "x2": share(x[1]), "y1": pixels(y[0]), "y2": pixels(y[1])}
    return element("line", {"class": kind, **ends})


def text(
    x: float,
    y: float,
    words: str,
    anchor: Anchor,
    kind: str = "",
    shift: float = 0,
) -> Markup:
    """Make a line of text whose start, middle or end is at `x`, shifted by some pixels."""
    attributes: dict[str, object] = {"x": share(x), "y": pixels(y), "text-anchor": anchor}
    if shift:
        attributes["dx"] = pixels(shift)
    if kind:
        attributes["class"] = kind
    return element("text", attributes, words)


def nice_step(span: float, most: int, steps: Sequence[float] = (1, 2, 5)) -> float:
    """Return the smallest round step that divides a span into at most `most` pieces.

    >>> nice_step(0.9, 5), nice_step(600, 6, (1, 2, 3, 6))
    (0.2, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(
        float(f"{step * scale:.12g}")
        for scale in (power, 10 * power)
        for step in steps
        if span / (step * scale) <= most + 1e-9
    )


def round_values(low: float, high: float, most: int) -> list[float]:
    """Return the round values from `low` to `high`, at most `most` steps apart.

    >>> round_values(-0.1, 0.9, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    step = nice_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def tick(x: float, bottom: float, words: str) -> Markup:
    """Make a label of the x axis at `bottom`, kept inside the chart."""
    anchor: Anchor = "start" if x < 0.03 else "end" if x > 0.97 else "middle"
    return text(x, bottom + 0.8 * AXIS_PX, words, anchor, "tick")


def level(y: float, words: str = "") -> list[Markup]:
    """Make a grid line across the chart, with a label of the y axis."""
    parts = [line((0, 1), (y, y), "grid")]
    return [*parts, text(0, y - 3, words, "start", "tick")] if words else parts


@dataclass(frozen=True)
class Mark:
    """A labelled value on an x axis."""

    x: float
    words: str
    kind: str


def rows_for(wanted: Sequence[Mark]) -> list[int]:
    """Assign each label to a row so that none overlaps; the marks are ordered by x.

    >>> rows_for([Mark(0.1, "p50 1.5 s", ""), Mark(0.2, "p95 2 s", ""), Mark(0.9, "max 3 s", "")])
    [0, 1, 0]
    """
    rows: list[int] = []
    taken: list[tuple[int, float, float]] = []
    for mark in wanted:
        width = LETTER_SHARE * len(mark.words)
        start = mark.x if _goes_right(mark) else mark.x - width
        end = start + width
        full = {row for row, other_start, other_end in taken
                if start < other_end and other_start < end}  # fmt: skip
        row = next(number for number in range(len(wanted)) if number not in full)
        rows.append(row)
        taken.append((row, start, end))
    return rows


def draw_mark(mark: Mark, row: int, row_height: float, bottom: float) -> list[Markup]:
    """Make a line down to `bottom`, with its label at its upper end."""
    y = row_height * (row + 0.75)
    side: Anchor = "start" if _goes_right(mark) else "end"
    shift = 4 if side == "start" else -4
    return [
        line((mark.x, mark.x), (row_height * row + 2, bottom), mark.kind),
        text(mark.x, y, mark.words, side, f"{mark.kind}-text", shift),
    ]


def _goes_right(mark: Mark) -> bool:
    return mark.x < 0.5

"""Small SVG charts as wide as the page: x in shares of the width, y in pixels.

Text keeps its size on a phone, since nothing is scaled. Colours come from classes, so a chart
follows the page's light and dark. All text is escaped.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from harness.support.sanitize import sanitize

Anchor = Literal["start", "middle", "end"]

AXIS_PX = 20
"""Room for what an x axis says, below a chart."""
LETTER_SHARE = 0.02
"""Room that a letter may take, as a share of the narrowest chart."""


def element(name: str, attributes: Mapping[str, object], *children: str) -> Markup:
    """Make an element; attributes and texts are escaped, elements inside are kept.

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
    """A share of the width as SVG has it.

    >>> share(0.123456), share(1)
    ('12.346%', '100%')
    """
    return f"{round(100 * value, 3):g}%"


def pixels(value: float) -> str:
    """A length in pixels, to a tenth."""
    return f"{round(value, 1):g}"


def chart(height: float, label: str, parts: Iterable[Markup]) -> Markup:
    """A chart as wide as what it stands in.

    Args:
        height: In pixels.
        label: What it shows, for who can't see it.
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
    """A bar between two shares of the width; `title` is shown when pointed at."""
    attributes = {
        "class": kind,
        "x": share(x),
        "width": share(width),
        "y": pixels(top),
        "height": pixels(max(0.0, bottom - top)),
    }
    return element("rect", attributes, *([element("title", {}, title)] if title else []))


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> Markup:
    """A circle; `title` is shown when pointed at."""
    attributes = {"class": kind, "cx": share(x), "cy": pixels(y), "r": pixels(radius)}
    return element("circle", attributes, *([element("title", {}, title)] if title else []))


def line(x: tuple[float, float], y: tuple[float, float], kind: str) -> Markup:
    """A straight line."""
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
    """A line of text whose start, middle or end is at `x`, shifted by some pixels."""
    attributes: dict[str, object] = {"x": share(x), "y": pixels(y), "text-anchor": anchor}
    if shift:
        attributes["dx"] = pixels(shift)
    if kind:
        attributes["class"] = kind
    return element("text", attributes, words)


def nice_step(span: float, most: int, steps: Sequence[float] = (1, 2, 5)) -> float:
    """The smallest round step that parts a span into no more than `most` pieces.

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
    """The round values from `low` to `high`, which are parted into no more than `most` pieces.

    >>> round_values(-0.1, 0.9, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    step = nice_step(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 9) for index in range(first, last + 1)]


def tick(x: float, bottom: float, words: str) -> Markup:
    """What an x axis at `bottom` says at `x`, kept inside of the chart."""
    anchor: Anchor = "start" if x < 0.03 else "end" if x > 0.97 else "middle"
    return text(x, bottom + 0.8 * AXIS_PX, words, anchor, "tick")


def level(y: float, words: str = "") -> list[Markup]:
    """A grid line across the chart, and what the y axis says there."""
    parts = [line((0, 1), (y, y), "grid")]
    return [*parts, text(0, y - 3, words, "start", "tick")] if words else parts


@dataclass(frozen=True)
class Mark:
    """A value to point out on an x axis."""

    x: float
    words: str
    kind: str


def rows_for(wanted: Sequence[Mark]) -> list[int]:
    """In which row each label goes, so that none covers another; the marks come from the left.

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
    """A line down to `bottom`, with its label beside its upper end."""
    y = row_height * (row + 0.75)
    side: Anchor = "start" if _goes_right(mark) else "end"
    shift = 4 if side == "start" else -4
    return [
        line((mark.x, mark.x), (row_height * row + 2, bottom), mark.kind),
        text(mark.x, y, mark.words, side, f"{mark.kind}-text", shift),
    ]


def _goes_right(mark: Mark) -> bool:
    return mark.x < 0.5

"""Draws a series: one dot per run, the levels between change points, and the change points."""

import math
from collections.abc import Iterator

from markupsafe import Markup

from reports.charts import svg
from reports.formatting import number, with_unit
from reports.trends.series import Series

PLOT_PX, LABEL_PX, DOT_PX, DOT_SHARE = 90, 18, 5, 0.005
MAX_DOTS = 400
"""Only the latest runs are drawn; more dots can't be distinguished."""


def trend_chart(series: Series) -> Markup:
    """Draw a series; infinite values are drawn above all others."""
    skipped = max(0, len(series.points) - MAX_DOTS)
    points = series.points[skipped:]
    finite = [point.value for point in points if math.isfinite(point.value)]
    most = 1.1 * max([*finite, 0.0]) or 1.0
    least = min([*finite, 0.0])
    bottom = LABEL_PX + PLOT_PX

    def x(index: int) -> float:
        return (index + 0.5) / len(points)

    def y(value: float) -> float:
        if math.isinf(value):
            return LABEL_PX - 6
        return bottom - PLOT_PX * (value - least) / (most - least)

    def parts() -> Iterator[Markup]:
        yield svg.line((0, 1), (y(max(0.0, least)),) * 2, "base")
        edges = [0, *(m.change.at - skipped for m in series.moved if m.change.at > skipped)]
        levels = [m.change.before for m in series.moved if m.change.at > skipped]
        last = series.moved[-1].change.after if series.moved else None
        spans = zip(edges, [*edges[1:], len(points)], [*levels, last], strict=True)
        for start, end, level in spans:
            if level is not None:
                yield svg.line((start / len(points), end / len(points)), (y(level),) * 2, "level")
        for edge in edges[1:]:
            yield svg.line((edge / len(points),) * 2, (LABEL_PX, bottom), "limit")
        for index, point in enumerate(points):
            title = f"{point.record.started[:10]}, {(point.record.revision or 'unknown')[:10]}: "
            title += with_unit(point.value, series.unit)
            left = max(0.0, min(1 - DOT_SHARE, x(index) - DOT_SHARE / 2))
            top = y(point.value) - DOT_PX / 2
            kind = "bar" if math.isfinite(point.value) else "drop"
            yield svg.bar(left, DOT_SHARE, top, top + DOT_PX, kind, title)
        yield svg.text(0, LABEL_PX - 6, with_unit(most / 1.1, series.unit), "start", "tick")
        for x_end, point in ((0.0, points[0]), (1.0, points[-1])):
            yield svg.tick(x_end, bottom, point.record.started[:10])

    label = f"{series.figure} of {len(points)} runs, now {number(series.latest)}; "
    label += f"{len(series.moved)} changes"
    return svg.chart(bottom + svg.AXIS_PX, label, parts())

"""Formats a metric's figures for the page, with the metric's definition."""

from dataclasses import dataclass

from harness.metrics import METRICS, Measurement
from reports.formatting import number, with_unit

STATISTICS = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Figure:
    """A metric's formatted figures."""

    name: str
    definition: str
    values: list[tuple[str, str]]
    """Pairs of label and value with its unit; the label of a single value is empty."""
    absent: str
    """The reason if there is no value."""


def figure_of(name: str, measured: Measurement) -> Figure:
    """Format a measurement."""
    values: list[tuple[str, str]] = []
    if measured.samples:
        values += [(name, with_unit(measured.statistic(name), measured.unit))
                   for name in STATISTICS]  # fmt: skip
        values.append(("maximum", with_unit(max(measured.samples), measured.unit)))
        values.append(("samples", number(len(measured.samples))))
    elif measured.value is not None:
        values.append(("", with_unit(measured.value, measured.unit)))
        if measured.bounds is not None:
            values.append(("between", " and ".join(number(bound) for bound in measured.bounds)))
        if measured.count is not None and measured.count > 1:
            values.append(("from", number(measured.count)))
    return Figure(name, definition_of(name), values, "" if values else measured.absent or "")


def definition_of(metric: str) -> str:
    """Return a metric's definition, which is its docstring's first line."""
    return (METRICS[metric].__doc__ or metric).splitlines()[0].replace("`", "")

"""A metric's figures in words, with what the metric is."""

from dataclasses import dataclass

from harness.metrics import METRICS, Measurement
from reports.formatting import number, with_unit

STATISTICS = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Figure:
    """What there is to say about a metric."""

    name: str
    definition: str
    values: list[tuple[str, str]]
    """What a value is, where that needs saying, and the value with its unit."""
    absent: str
    """Why there is no value."""


def figure_of(name: str, measured: Measurement) -> Figure:
    """Put a measurement into words."""
    values: list[tuple[str, str]] = []
    if measured.samples:
        values += [(name, with_unit(measured.statistic(name), measured.unit))
                   for name in STATISTICS]  # fmt: skip
        values.append(("most", with_unit(max(measured.samples), measured.unit)))
        values.append(("samples", number(len(measured.samples))))
    elif measured.value is not None:
        values.append(("", with_unit(measured.value, measured.unit)))
        if measured.bounds is not None:
            values.append(("between", " and ".join(number(bound) for bound in measured.bounds)))
        if measured.count is not None and measured.count > 1:
            values.append(("from", number(measured.count)))
    return Figure(name, definition_of(name), values, "" if values else measured.absent or "")


def definition_of(metric: str) -> str:
    """What a metric is: the first line of its own description."""
    return (METRICS[metric].__doc__ or metric).splitlines()[0].replace("`", "")

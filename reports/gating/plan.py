"""Reads the plan of a gate: which figures it compares, and when."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.errors import DataFileError, UnknownNameError
from harness.metrics import METRICS, Measurement, load_installed_metrics
from harness.metrics.measurement import share_of
from harness.support.data_file import SUITES, convert, read_toml
from reports.gating.decision import StoppingRule

FILE = SUITES / "gate.toml"


class Gated(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A figure that a gate compares."""

    metric: str
    better: Literal["lower", "higher"]
    statistic: str = "value"

    def value_of(self, measured: dict[str, Measurement]) -> float | None:
        """Return the figure of a run; None where it has none."""
        measurement = measured[self.metric]
        if self.statistic == "value" or measurement.samples:
            return measurement.statistic(self.statistic)
        return None

    def cost_of(self, value: float) -> float:
        """Return the figure such that lower is better; higher ones are inverted."""
        if self.better == "lower":
            return value
        return 1 / value if value else float("inf")


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of a plan's file."""

    rule: StoppingRule = StoppingRule()
    repeats: Annotated[int, Meta(ge=1, le=99)] = 3
    tolerance: Annotated[float, Meta(ge=0, lt=1)] = 0.01
    timed: dict[str, Gated]
    exact: dict[str, Gated] = {}

    @property
    def gated(self) -> dict[str, Gated]:
        """All figures, by name."""
        return {**self.timed, **self.exact}


def read_plan(path: Path = FILE) -> Plan:
    """Read a plan.

    Raises:
        DataFileError: The file is invalid.
        UnknownNameError: It names a metric that doesn't exist.
    """
    load_installed_metrics()
    plan = convert(read_toml(path, dict[str, object]), Plan, str(path))
    if twice := plan.timed.keys() & plan.exact.keys():
        raise DataFileError(str(path), f"{min(twice)} is both timed and exact", "each name once")
    for name, gated in plan.gated.items():
        if gated.metric not in METRICS:
            raise UnknownNameError(f"{path}, {name}, metric", gated.metric, METRICS)
        try:
            if gated.statistic != "value":
                share_of(gated.statistic)
        except ValueError as error:
            raise DataFileError(f"{path}, {name}", str(error)) from error
    return plan

"""Thresholds: what figures are held to, read from data."""

import operator
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.clock import ClockKind
from harness.datafile import read_toml
from harness.errors import DataFileError, UnknownNameError
from harness.metrics import METRICS
from harness.metrics.measurement import share_of

FILE = Path(__file__).parent.parent / "suites" / "thresholds.toml"
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LIMIT = re.compile(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)")


class Limit(msgspec.Struct, frozen=True):
    """A bound such as "< 0.5".

    >>> Limit.parse("< 0.5").allows(0.4), Limit.parse("<= 0").allows(0.1)
    (True, False)
    """

    sign: str
    number: float

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read a limit.

        Raises:
            ValueError: It isn't a sign and a number.
        """
        match = _LIMIT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no limit; allowed: '< 0.5', '<= 0', '> 2', …")
        return cls(match[1], float(match[2]))

    def allows(self, value: float) -> bool:
        """Tell whether a value keeps within the limit."""
        return OPERATORS[self.sign](value, self.number)

    def worse_end(self, bounds: tuple[float, float]) -> float:
        """The end of an interval that is nearer to breaking the limit."""
        return bounds[1] if self.sign.startswith("<") else bounds[0]

    def better_end(self, bounds: tuple[float, float]) -> float:
        """The other end."""
        return bounds[0] if self.sign.startswith("<") else bounds[1]

    def __str__(self) -> str:
        return f"{self.sign} {self.number:g}"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    metric: str
    target: str
    minimum: str
    source: str
    statistic: str = "value"
    scenarios: tuple[str, ...] = ()
    clocks: tuple[ClockKind, ...] = tuple(ClockKind)


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is held to: the audit's two columns, and where they come from."""

    name: str
    metric: str
    statistic: str
    target: Limit
    minimum: Limit
    source: str
    """Who set the numbers."""
    scenarios: tuple[str, ...]
    """Where it applies; everywhere when empty."""
    clocks: tuple[ClockKind, ...]
    """The clocks on which the figure is true."""

    def applies_to(self, scenario: str) -> bool:
        """Tell whether trials of a scenario are held to it."""
        return not self.scenarios or scenario in self.scenarios


def read_thresholds(path: Path = FILE) -> dict[str, Threshold]:
    """Read a file of thresholds, by name.

    Raises:
        DataFileError: The file doesn't say what it must, or limits a metric that doesn't exist.
    """
    thresholds = {}
    for name, entry in read_toml(path, dict[str, _Entry]).items():
        where = f"{path}, [{name}]"
        if entry.metric not in METRICS:
            raise UnknownNameError(f"{where}, metric", entry.metric, METRICS)
        try:
            if entry.statistic != "value":
                share_of(entry.statistic)
            target, minimum = Limit.parse(entry.target), Limit.parse(entry.minimum)
        except ValueError as error:
            raise DataFileError(where, str(error)) from error
        if not minimum.allows(target.number) and target.number != minimum.number:
            raise DataFileError(where, f"target {target} is looser than minimum {minimum}")
        thresholds[name] = Threshold(
            name=name,
            metric=entry.metric,
            statistic=entry.statistic,
            target=target,
            minimum=minimum,
            source=entry.source,
            scenarios=entry.scenarios,
            clocks=entry.clocks,
        )
    return thresholds

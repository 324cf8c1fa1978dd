"""Thresholds: what figures are held to, read from data."""

import operator
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from harness.clock import ClockKind
from harness.errors import DataFileError, UnknownNameError
from harness.metrics import ACTIVITY_OF, METRICS, load_installed_metrics
from harness.metrics.measurement import share_of
from harness.specs.trial import Transport, TrialSpec
from harness.support.data_file import SUITES, convert, read_toml

FILE = SUITES / "thresholds.toml"
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

    def includes(self, other: "Limit") -> bool:
        """Tell whether everything that the other limit allows keeps within this one.

        >>> loose = Limit.parse("< 5")
        >>> loose.includes(Limit.parse("<= 4")), loose.includes(Limit.parse("<= 5"))
        (True, False)
        >>> loose.includes(Limit.parse("> 1"))
        False
        """
        same_way = self.sign[0] == other.sign[0]
        touches = self.number == other.number and "=" not in other.sign
        return same_way and (self.allows(other.number) or touches)

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
    relative_to: str | None = None
    providers: tuple[str, ...] = ()
    chunk_seconds: str | None = None
    clocks: Annotated[tuple[ClockKind, ...], Meta(min_length=1)] = tuple(ClockKind)
    transports: Annotated[tuple[Transport, ...], Meta(min_length=1)] = tuple(Transport)


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
    relative_to: str | None
    """A scenario whose figure, with everything else the same, this one's is divided by."""
    clocks: tuple[ClockKind, ...]
    """The clocks on which the figure is true."""
    transports: tuple[Transport, ...] = tuple(Transport)
    """The transports that it is about."""
    providers: tuple[str, ...] = ()
    """To whom it applies; to all when empty."""
    chunk_seconds: Limit | None = None
    """The chunk sizes that it is about; all when None."""

    def applies_to(self, spec: TrialSpec) -> bool:
        """Tell whether a trial is held to it."""
        return (
            ACTIVITY_OF[self.metric] is spec.activity
            and spec.transport in self.transports
            and (not self.scenarios or spec.scenario.name in self.scenarios)
            and (not self.providers or spec.provider in self.providers)
            and (self.chunk_seconds is None or self.chunk_seconds.allows(spec.chunk_seconds))
        )


def read_thresholds(
    path: Path = FILE,
    scenarios: Collection[str] | None = None,
    providers: Collection[str] | None = None,
) -> dict[str, Threshold]:
    """Read a file of thresholds, by name.

    Args:
        path: The file.
        scenarios: All there are; a threshold for another would never apply. Not checked when None.
        providers: The same of providers.

    Raises:
        DataFileError: The file doesn't say what it must.
        UnknownNameError: It limits a metric, or names a scenario or provider, that doesn't exist.
        UsageError: An installed package's metric can't be used.
    """
    load_installed_metrics()
    thresholds = {}
    for name, table in read_toml(path, dict[str, Any]).items():
        where = f"{path}, [{name}]"
        entry = convert(table, _Entry, where)
        if entry.metric not in METRICS:
            raise UnknownNameError(f"{where}, metric", entry.metric, METRICS)
        try:
            if entry.statistic != "value":
                share_of(entry.statistic)
            target, minimum = Limit.parse(entry.target), Limit.parse(entry.minimum)
            sizes = None if entry.chunk_seconds is None else Limit.parse(entry.chunk_seconds)
        except ValueError as error:
            raise DataFileError(where, str(error)) from error
        if not minimum.includes(target):
            problem = f"target {target} is looser than minimum {minimum}"
            raise DataFileError(where, problem, "a target that is as strict, or stricter")
        for scenario in (*entry.scenarios, *([entry.relative_to] if entry.relative_to else [])):
            if scenarios is not None and scenario not in scenarios:
                raise UnknownNameError(f"{where}, scenarios", scenario, scenarios)
        for provider in entry.providers:
            if providers is not None and provider not in providers:
                raise UnknownNameError(f"{where}, providers", provider, providers)
        thresholds[name] = Threshold(
            name=name,
            metric=entry.metric,
            statistic=entry.statistic,
            target=target,
            minimum=minimum,
            source=entry.source,
            scenarios=entry.scenarios,
            relative_to=entry.relative_to,
            providers=entry.providers,
            clocks=entry.clocks,
            transports=entry.transports,
            chunk_seconds=sizes,
        )
    return thresholds

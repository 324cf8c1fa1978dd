"""Thresholds: what figures are held to, read from data."""

from collections.abc import Collection
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
from harness.verdicts.limits import ChunkLimit

FILE = SUITES / "thresholds.toml"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    metric: str
    target: str
    minimum: str
    source: str
    statistic: str = "value"
    scenarios: tuple[str, ...] = ()
    relative_to: str | None = None
    providers: tuple[str, ...] = ()
    explained_by: str = ""
    clocks: Annotated[tuple[ClockKind, ...], Meta(min_length=1)] = tuple(ClockKind)
    transports: Annotated[tuple[Transport, ...], Meta(min_length=1)] = tuple(Transport)


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is held to: a target and a minimum, and where they come from."""

    name: str
    metric: str
    statistic: str
    target: ChunkLimit
    minimum: ChunkLimit
    source: str
    """Who set the numbers: an id of docs/requirements.md, or "echobench", and why."""
    scenarios: tuple[str, ...]
    """Where it applies; everywhere when empty."""
    relative_to: str | None
    """A scenario whose figure, with everything else the same, this one's is divided by."""
    clocks: tuple[ClockKind, ...]
    """The clocks on which the figure is true; on another, it says nothing."""
    transports: tuple[Transport, ...] = tuple(Transport)
    """The transports that it is about."""
    providers: tuple[str, ...] = ()
    """The providers that it applies to; all when empty."""
    explained_by: str = ""
    """What breaks it in a healthy engine too; it then only accuses, and fails nothing."""

    def applies_to(self, spec: TrialSpec) -> bool:
        """Tell whether a trial is held to it."""
        return (
            ACTIVITY_OF[self.metric] is spec.activity
            and spec.clock in self.clocks
            and spec.transport in self.transports
            and (not self.scenarios or spec.scenario.name in self.scenarios)
            and (not self.providers or spec.provider in self.providers)
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
            target, minimum = ChunkLimit.parse(entry.target), ChunkLimit.parse(entry.minimum)
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
            explained_by=entry.explained_by,
            clocks=entry.clocks,
            transports=entry.transports,
        )
    return thresholds

"""Decides whether a trial is void: its figures are unusable for reasons outside the provider."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.journal.events import Event, SourceEnded, Surroundings
from harness.support.data_file import SUITES, read_toml
from harness.support.env_settings import setting

FILE = SUITES / "validity.toml"
VARIABLE = "ECHOBENCH_VALIDITY"

Share = Annotated[float, Meta(ge=0, le=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits beyond which a trial is void; `validity.toml` explains the fields."""

    suspended_s: Annotated[float, Meta(ge=0)]
    power_may_change: bool
    thermal_pressure: Annotated[int, Meta(ge=0, le=5)]
    throttled_share: Share
    others_share: Share
    busy_from: Share
    late_p99_s: Annotated[float, Meta(ge=0)]
    late_p99_macos_s: Annotated[float, Meta(ge=0)]
    late_chunk_share: Share

    def late_s(self, chunk_seconds: float) -> float:
        """How late audio may be played (p99) on this system, by the length of chunks."""
        fixed_s = self.late_p99_macos_s if sys.platform == "darwin" else self.late_p99_s
        return max(fixed_s, self.late_chunk_share * chunk_seconds)


def limits_asked_for() -> Limits:
    """The file's limits, with changes from the environment variable.

    Raises:
        DataFileError: The file's content is invalid.
        UsageError: The variable isn't JSON, or names another field.
    """
    return setting(VARIABLE, read_toml(FILE, Limits), "values")


def spoiled(events: Sequence[Event], chunk_seconds: float, limits: Limits) -> list[str]:
    """Return the reasons why a trial is void; none if it is valid.

    Args:
        events: The trial's events.
        chunk_seconds: The trial's chunk length.
        limits: The limits to judge by.
    """
    seen = [event for event in events if isinstance(event, Surroundings)]
    problems = [feeder_problem(events, chunk_seconds, limits)]
    if len(seen) > 1:
        problems += [
            _sleep(seen, limits),
            _power(seen, limits),
            _heat(seen, limits),
            _other_programs(seen, limits),
        ]
    return [problem for problem in problems if problem is not None]


def feeder_problem(events: Sequence[Event], chunk_seconds: float, limits: Limits) -> str | None:
    """Return why the audio counts as played late, if it does.

    Audio that is played late makes every latency look shorter than it was.

    Args:
        events: The trial's events.
        chunk_seconds: The trial's chunk length.
        limits: The limits to judge by.

    Returns:
        The problem; None when the audio was on time.
    """
    played = [event.late_p99_s for event in events if isinstance(event, SourceEnded)]
    limit_s = limits.late_s(chunk_seconds)
    p99_s = max(played, default=0.0)
    if p99_s <= limit_s:
        return None
    return (
        f"the audio was played up to {p99_s * 1000:.0f} ms late (p99; {limit_s * 1000:.0f} ms are "
        "allowed): the machine was too busy"
    )


def remarks(events: Sequence[Event]) -> list[str]:
    """Remarks on a trial's surroundings that don't make it void."""
    seen = [event for event in events if isinstance(event, Surroundings)]
    if not seen or seen[-1].on_battery is not True:
        return []
    return ["measured on battery power"]


def others_share(seen: Sequence[Surroundings], busy_from: float) -> float:
    """The share of the machine that other programs took from the trial.

    Only intervals without an idle core count: otherwise the trial loses nothing.
    """
    taken_s = 0.0
    for before, after in pairwise(seen):
        capacity_s = after.cores * (after.wall_s - before.wall_s)
        idle_s = after.idle_cpu_s - before.idle_cpu_s
        if idle_s <= (1 - busy_from) * capacity_s:
            taken_s += min(after.others_cpu_s - before.others_cpu_s, capacity_s)
    whole_s = seen[-1].cores * (seen[-1].wall_s - seen[0].wall_s)
    return taken_s / whole_s if whole_s > 0 else 0.0


def throttled_share(seen: Sequence[Surroundings], pressure: int) -> float:
    """The share of the time in which heat slowed the machine down."""
    slow_s = sum(
        after.wall_s - before.wall_s
        for before, after in pairwise(seen)
        if (after.thermal_pressure or 0) >= pressure
        or (after.throttle_count or 0) > (before.throttle_count or 0)
    )
    whole_s = seen[-1].wall_s - seen[0].wall_s
    return slow_s / whole_s if whole_s > 0 else 0.0


def _sleep(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    slept_s = seen[-1].suspended_s - seen[0].suspended_s
    if slept_s <= limits.suspended_s:
        return None
    return f"the machine slept for {slept_s:.1f} s during the trial"


def _power(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    if limits.power_may_change:
        return None
    sources = [each.on_battery for each in seen if each.on_battery is not None]
    if len(set(sources)) < 2:
        return None
    change = "mains to battery" if sources[-1] else "battery to mains"
    return f"the power source changed during the trial, at last from {change}"


def _heat(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    share = throttled_share(seen, limits.thermal_pressure)
    if share <= limits.throttled_share:
        return None
    return f"heat slowed the processor down for {share:.0%} of the time"


def _other_programs(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    share = others_share(seen, limits.busy_from)
    if share <= limits.others_share:
        return None
    return (
        f"other programs took {share:.0%} of the machine while no core was idle "
        f"({limits.others_share:.0%} are allowed)"
    )

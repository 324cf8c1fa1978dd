"""When a trial's figures mean nothing, whatever the provider did."""

import sys
from collections.abc import Iterator, Sequence
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
    """What spoils a trial; `validity.toml` explains the fields."""

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
        """How late audio may be played (p99) on this system, for chunks of a length."""
        fixed_s = self.late_p99_macos_s if sys.platform == "darwin" else self.late_p99_s
        return max(fixed_s, self.late_chunk_share * chunk_seconds)


def limits_asked_for() -> Limits:
    """The file's limits, changed as the environment variable says.

    Raises:
        DataFileError: The file doesn't say what it must.
        UsageError: The variable isn't JSON, or names something else.
    """
    return setting(VARIABLE, read_toml(FILE, Limits), "values")


def spoiled(events: Sequence[Event], chunk_seconds: float, limits: Limits) -> list[str]:
    """Say what spoiled a trial, if anything did.

    Args:
        events: Those of one trial.
        chunk_seconds: The trial's.
        limits: What counts as spoiling.
    """
    seen = [event for event in events if isinstance(event, Surroundings)]
    problems = [feeder_problem(events, chunk_seconds, limits)]
    if len(seen) > 1:
        problems += [
            _sleep(seen, limits),
            _power(seen, limits),
            _heat(seen, limits),
            _neighbours(seen, limits),
        ]
    return [problem for problem in problems if problem is not None]


def feeder_problem(events: Sequence[Event], chunk_seconds: float, limits: Limits) -> str | None:
    """Say whether the machine was too busy to play the audio on time.

    Captured audio that comes late makes every latency look shorter than it was.

    Args:
        events: Those of one trial.
        chunk_seconds: The trial's.
        limits: What counts as late.

    Returns:
        What is wrong; None when the audio came on time.
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
    """What should be known about a trial's surroundings although it spoils nothing."""
    seen = [event for event in events if isinstance(event, Surroundings)]
    if not seen or seen[-1].on_battery is not True:
        return []
    return ["on battery: the figures hold for that"]


def others_share(seen: Sequence[Surroundings], busy_from: float) -> float:
    """The share of the machine that other programs took from the trial.

    Only intervals count in which no core was to spare: before, they take nothing from anyone.
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
    slow_s = sum(after.wall_s - before.wall_s for before, after in _slowed(seen, pressure))
    whole_s = seen[-1].wall_s - seen[0].wall_s
    return slow_s / whole_s if whole_s > 0 else 0.0


def _slowed(
    seen: Sequence[Surroundings], pressure: int
) -> Iterator[tuple[Surroundings, Surroundings]]:
    for before, after in pairwise(seen):
        if (after.thermal_pressure or 0) >= pressure or (after.throttle_count or 0) > (
            before.throttle_count or 0
        ):
            yield before, after


def _sleep(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    slept_s = seen[-1].suspended_s - seen[0].suspended_s
    if slept_s <= limits.suspended_s:
        return None
    return f"the machine slept for {slept_s:.1f} s in the middle"


def _power(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    if limits.power_may_change:
        return None
    sources = [each.on_battery for each in seen if each.on_battery is not None]
    if len(set(sources)) < 2:
        return None
    way = "mains to battery" if sources[-1] else "battery to mains"
    return f"the power changed in the middle, in the end from {way}"


def _heat(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    share = throttled_share(seen, limits.thermal_pressure)
    if share <= limits.throttled_share:
        return None
    return f"heat slowed the processor down for {share:.0%} of the time"


def _neighbours(seen: Sequence[Surroundings], limits: Limits) -> str | None:
    share = others_share(seen, limits.busy_from)
    if share <= limits.others_share:
        return None
    return (
        f"other programs took {share:.0%} of the machine while no core was idle "
        f"({limits.others_share:.0%} are allowed)"
    )

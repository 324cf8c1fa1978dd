"""The degrade ladder as a pure state machine over time, real-time factor and events.

    state, move = observed(rules, state, at_s, rtf)    the load was measured
    state, move = crashed(rules, state, at_s, reason)  the provider broke down
    state, move = reset(rules, state, at_s, reason)    a user asks for the normal level

It climbs one level at a time. The observations that led to a level don't count for the next one,
because the level's actions need time to take effect. Between "too slow" and "fast enough" lies a
range in which nothing happens. `harness.ladder.degrader` runs the actions.
"""

from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from harness.support.data_file import SUITES, read_toml

FILE = SUITES / "ladder.toml"
Positive = Annotated[float, Meta(gt=0)]


class Level(IntEnum):
    """How far an overloaded session has been degraded."""

    NORMAL = 0
    WARNING = 1
    DEGRADE = 2
    EMERGENCY = 3
    FAILOVER = 4

    @property
    def word(self) -> str:
        """The level's name in data and messages."""
        return self.name.lower()


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Conditions and actions of one level; `ladder.toml` explains the fields."""

    level: str
    requirement: str = ""
    above: Positive | None = None
    for_s: Positive | None = None
    below: Positive | None = None
    back_for_s: Positive | None = None
    actions: tuple[str, ...]
    message: str
    """Shown to users on the way up."""
    relief: str
    """Shown to users on the way down from this level."""


class Relapse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the next recovery from a level takes longer."""

    within_s: Positive
    most_doublings: Annotated[int, Meta(ge=0)]


class LadderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the ladder's file."""

    steps: tuple[Step, ...]
    relapse: Relapse

    def __post_init__(self) -> None:
        words = [level.word for level in Level if level]
        if [step.level for step in self.steps] != words:
            raise ValueError(f"levels must be {', '.join(words)}, in this order")
        for step in self.steps:
            if (step.above is None) != (step.for_s is None):
                raise ValueError(f"{step.level}: above and for_s belong together")
            if (step.below is None) != (step.back_for_s is None):
                raise ValueError(f"{step.level}: below and back_for_s belong together")
            if step.above is not None and step.below is not None and step.below > step.above:
                raise ValueError(f"{step.level}: below {step.below} is above {step.above}")

    def step(self, level: Level) -> Step | None:
        """The step of a level; None for `NORMAL`."""
        return self.steps[level - 1] if level else None


class State(msgspec.Struct, frozen=True):
    """A session's level, and since when which condition has held."""

    level: Level = Level.NORMAL
    at_s: float = float("-inf")
    """The time of the last observation or event."""
    slow_since_s: float | None = None
    """Since when the factor has been above the next level's limit."""
    fast_since_s: float | None = None
    """Since when it has been below this level's recovery limit."""
    doublings: tuple[int, ...] = (0,) * len(Level)
    """By level: how often its recovery time has been doubled."""
    left_at_s: tuple[float, ...] = (float("-inf"),) * len(Level)
    """By level: when the session last recovered from it."""


class Move(msgspec.Struct, frozen=True):
    """A change from one level to another."""

    at_s: float
    before: Level
    after: Level
    cause: str


@cache
def read_rules(path: Path = FILE) -> LadderConfig:
    """Read the ladder's file.

    Raises:
        DataFileError: Its content is invalid.
    """
    return read_toml(path, LadderConfig)


def without_load() -> LadderConfig:
    """The ladder without limits on the load, for a session that must not be degraded."""
    rules = read_rules()
    steps = tuple(
        msgspec.structs.replace(step, above=None, for_s=None, below=None, back_for_s=None)
        for step in rules.steps
    )
    return LadderConfig(steps, rules.relapse)


def observed(
    rules: LadderConfig, state: State, at_s: float, rtf: float
) -> tuple[State, Move | None]:
    """Take a measured load into account.

    Args:
        rules: The ladder.
        state: The session's state.
        at_s: Now; never before the last observation.
        rtf: The real-time factor of the last seconds, 0 or more.

    Returns:
        The new state, and the move that led to it, if one did.

    Raises:
        ValueError: Time went back, or the factor is negative or not a number.
    """
    if at_s < state.at_s or not rtf >= 0:
        raise ValueError(f"rtf {rtf} at {at_s} s, after {state.at_s} s")
    up = rules.steps[state.level] if state.level < len(rules.steps) else None
    down = rules.step(state.level)
    slow = up is not None and up.above is not None and rtf > up.above
    fast = down is not None and down.below is not None and rtf < down.below
    state = msgspec.structs.replace(
        state,
        at_s=at_s,
        slow_since_s=(at_s if state.slow_since_s is None else state.slow_since_s) if slow else None,
        fast_since_s=(at_s if state.fast_since_s is None else state.fast_since_s) if fast else None,
    )
    if up is not None and up.for_s is not None and _held(state.slow_since_s, at_s, up.for_s):
        cause = f"rtf above {up.above:g} for {up.for_s:g} s (now {rtf:.2f})"
        return _climbed(rules, state, cause)
    if down is not None and down.back_for_s is not None:
        needed_s = down.back_for_s * 2 ** state.doublings[state.level]
        if _held(state.fast_since_s, at_s, needed_s):
            cause = f"rtf below {down.below:g} for {needed_s:g} s (now {rtf:.2f})"
            return _descended(state, cause)
    return state, None


def crashed(rules: LadderConfig, state: State, at_s: float, reason: str) -> tuple[State, Move]:
    """Take a breakdown of the provider into account; leads to `FAILOVER` from any level."""
    return _moved(state, max(at_s, state.at_s), Level.FAILOVER, f"crash: {reason}")


def reset(rules: LadderConfig, state: State, at_s: float, reason: str) -> tuple[State, Move | None]:
    """Go back to `NORMAL` on a user's request, and forget the doublings."""
    if state.level is Level.NORMAL:
        return state, None
    after, move = _moved(state, max(at_s, state.at_s), Level.NORMAL, f"by hand: {reason}")
    return State(after.level, after.at_s), move


def _held(since_s: float | None, at_s: float, for_s: float) -> bool:
    return since_s is not None and at_s - since_s >= for_s


def _climbed(rules: LadderConfig, state: State, cause: str) -> tuple[State, Move]:
    level = Level(state.level + 1)
    relapsed = state.at_s - state.left_at_s[level] <= rules.relapse.within_s
    count = min(state.doublings[level] + 1, rules.relapse.most_doublings) if relapsed else 0
    doublings = _with(state.doublings, level, count)
    return _moved(msgspec.structs.replace(state, doublings=doublings), state.at_s, level, cause)


def _descended(state: State, cause: str) -> tuple[State, Move]:
    left = _with(state.left_at_s, state.level, state.at_s)
    lower = Level(state.level - 1)
    return _moved(msgspec.structs.replace(state, left_at_s=left), state.at_s, lower, cause)


def _moved(state: State, at_s: float, level: Level, cause: str) -> tuple[State, Move]:
    after = msgspec.structs.replace(
        state, level=level, at_s=at_s, slow_since_s=None, fast_since_s=None
    )
    return after, Move(at_s, state.level, level, cause)


def _with(values: tuple, index: int, value: float) -> tuple:  # type: ignore[type-arg]
    return (*values[:index], value, *values[index + 1 :])

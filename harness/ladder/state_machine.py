"""The degrade ladder as a pure state machine over time, real-time factor and events.

    state, moved = observed(rules, state, at_s, rtf)    a look at how it goes
    state, moved = crashed(rules, state, at_s, reason)  the provider broke down
    state, moved = reset(rules, state, at_s, reason)    someone says that all is well again

It goes up one level at a time, and what led up to a level is no evidence for the next: the level's
actions have to show first what they do. Between "too slow" and "fast enough" there is a gap in
which nothing happens. Who does the actions is another matter.
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
        """Its name in data and messages."""
        return self.name.lower()


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What leads up to a level and down from it; `ladder.toml` explains the fields."""

    level: str
    requirement: str = ""
    above: Positive | None = None
    for_s: Positive | None = None
    below: Positive | None = None
    back_for_s: Positive | None = None
    actions: tuple[str, ...]
    message: str
    """Shown to people on the way up."""
    relief: str
    """Shown to them on the way down from here."""


class Relapse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a way back longer."""

    within_s: Positive
    most_doublings: Annotated[int, Meta(ge=0)]


class LadderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ladder's file."""

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
        """The step up to a level; None for `NORMAL`."""
        return self.steps[level - 1] if level else None


class State(msgspec.Struct, frozen=True):
    """Where a session stands, and since when which condition has held."""

    level: Level = Level.NORMAL
    at_s: float = float("-inf")
    """The time of the last observation or event."""
    slow_since_s: float | None = None
    """Since when the factor has been above what the next level asks for."""
    fast_since_s: float | None = None
    """Since when it has been below what the way back asks for."""
    doublings: tuple[int, ...] = (0,) * len(Level)
    """By level: how often its way back has become longer."""
    left_at_s: tuple[float, ...] = (float("-inf"),) * len(Level)
    """By level: when it was last left by itself."""


class Move(msgspec.Struct, frozen=True):
    """From one level to another, when and why."""

    at_s: float
    before: Level
    after: Level
    cause: str


@cache
def read_rules(path: Path = FILE) -> LadderConfig:
    """Read the ladder's file.

    Raises:
        DataFileError: It doesn't say what it must.
    """
    return read_toml(path, LadderConfig)


def without_load() -> LadderConfig:
    """A ladder that no load climbs, for a session that must stay as it is."""
    rules = read_rules()
    steps = tuple(
        msgspec.structs.replace(step, above=None, for_s=None, below=None, back_for_s=None)
        for step in rules.steps
    )
    return LadderConfig(steps, rules.relapse)


def observed(
    rules: LadderConfig, state: State, at_s: float, rtf: float
) -> tuple[State, Move | None]:
    """Take a look at how it goes into account.

    Args:
        rules: The ladder.
        state: Where the session stands.
        at_s: Now; never before the last observation.
        rtf: The real-time factor of the last seconds, 0 or more.

    Returns:
        The new state, and the move that led to it, if one did.

    Raises:
        ValueError: Time went back, or the factor is negative or no number.
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
    """Take into account that the provider broke down; leads to `FAILOVER` from anywhere."""
    return _moved(state, max(at_s, state.at_s), Level.FAILOVER, f"crash: {reason}")


def reset(rules: LadderConfig, state: State, at_s: float, reason: str) -> tuple[State, Move | None]:
    """Go back to `NORMAL` because someone says so; what was learnt about ways back is forgotten."""
    if state.level is Level.NORMAL:
        return state, None
    moved, move = _moved(state, max(at_s, state.at_s), Level.NORMAL, f"by hand: {reason}")
    return State(moved.level, moved.at_s), move


def _held(since_s: float | None, at_s: float, for_s: float) -> bool:
    return since_s is not None and at_s - since_s >= for_s


def _climbed(rules: LadderConfig, state: State, cause: str) -> tuple[State, Move]:
    level = Level(state.level + 1)
    relapsed = state.at_s - state.left_at_s[level] <= rules.relapse.within_s
    longer = min(state.doublings[level] + 1, rules.relapse.most_doublings) if relapsed else 0
    doublings = _with(state.doublings, level, longer)
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

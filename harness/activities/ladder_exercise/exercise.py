"""Exercises the ladder on a provider that is slowed down and broken on purpose."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.activities.ladder_exercise.slowed import Slowed
from harness.clock import sleep_until
from harness.contract import ASRProvider
from harness.errors import EchobenchError
from harness.journal.events import Event
from harness.ladder.actions import LONGER_BY_S, Switch, other_member, other_provider
from harness.ladder.degrader import Degrader
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.session import hold_degradable_session
from harness.ladder.state_machine import LadderConfig, read_rules
from harness.machine.recommendation import read_table
from harness.provider.attribution import provider_errors
from harness.provider.registry import PROVIDERS, make_provider, names
from harness.provider.timeouts import Timeouts
from harness.session.session import RunningSession, input_of
from harness.session.settings import SessionSettings
from harness.specs.scenario import Scenario
from harness.specs.trial import TrialSpec
from harness.support.data_file import SUITES, read_toml
from harness.timeline.timeline import Track

FILE = SUITES / "ladder_exercise.toml"
Seconds = Annotated[float, Meta(ge=0)]


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The loads of the providers from one time on."""

    from_s: Seconds
    load: Seconds
    smaller: Seconds


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A move that the ladder must make."""

    level: str
    by: Literal["climbing", "recovering", "hand", "crash"]
    after_s: Seconds


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of the exercise's file, which explains the fields."""

    chunk_seconds: Annotated[float, Meta(gt=0)]
    slack_s: Seconds
    reset_at_s: Seconds
    crash_at_s: Seconds
    scenario: Scenario
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)]
    expect: tuple[Expected, ...]

    def phase(self, at_s: float) -> Phase:
        """The phase at a time."""
        return next(phase for phase in reversed(self.phases) if phase.from_s <= max(at_s, 0.0))


@cache
def read_exercise(path: Path = FILE) -> Exercise:
    """Read the exercise.

    Raises:
        DataFileError: Its content is invalid.
    """
    exercise = read_toml(path, Exercise)
    return msgspec.structs.replace(
        exercise, scenario=msgspec.structs.replace(exercise.scenario, name="ladder")
    )


async def run_exercise(
    provider: ASRProvider,
    spec: TrialSpec,
    track: Track,
    emit: Callable[[Event], None],
    timeouts: Timeouts,
    others: tuple[Member, Member] | None = None,
    rules: LadderConfig | None = None,
) -> None:
    """Play a track to a provider through all phases, with its stand-ins for failover.

    Args:
        provider: Its model may be resident already.
        spec: The trial.
        track: What its one source plays.
        emit: Takes events, from any thread.
        timeouts: How long a provider may take to answer and to stop.
        others: The smaller model and the other provider; `stand_ins` when None.
        rules: The ladder; that of the file when None.

    Raises:
        EchobenchError: As `hold_session` raises.
    """
    plan = read_exercise()
    longest_s = spec.chunk_seconds + LONGER_BY_S
    first = Slowed(
        provider,
        lambda at_s: plan.phase(at_s).load,
        longest_s,
        lambda at_s: at_s >= plan.crash_at_s,
    )
    smaller, fallback = others or stand_ins(spec)
    slowed = Slowed(smaller.provider, lambda at_s: plan.phase(at_s).smaller, longest_s)
    smaller.provider = slowed
    failover = FailoverProvider([Member(first, spec.model), smaller, fallback])
    switches: dict[str, Switch] = {
        "smaller_model": other_member(failover, smaller),
        "other_provider": other_provider(failover, [fallback]),
    }
    resets: list[asyncio.Task[None]] = []

    def on_begin(running: RunningSession, degrader: Degrader) -> None:
        for each in (first, slowed):
            each.begin(running.origin_s)
        reset_s = running.origin_s + plan.reset_at_s
        resets.append(asyncio.create_task(_reset_at(reset_s, degrader)))

    settings = SessionSettings(spec.chunk_seconds, spec.scenario.queue_s, timeouts)
    try:
        await hold_degradable_session(
            failover, spec.key, settings, [input_of(track, emit)], emit, rules or read_rules(),
            switches, on_begin=on_begin,
        )  # fmt: skip
    finally:
        for reset in resets:
            reset.cancel()
        for stand_in in (smaller, fallback):
            await stand_in.provider.close()


def stand_ins(spec: TrialSpec) -> tuple[Member, Member]:
    """The members that take over: the provider with a smaller model, and another provider.

    Where this machine lacks a smaller model or another provider, a second instance of the same one
    stands in.
    """
    model = spec.model
    smaller = make_provider(spec.provider, spec.settings)
    candidate = read_table().next_smaller(model)
    if candidate is not None and _has(smaller, candidate):
        model = candidate
    usable = [other for name in names(PROVIDERS)
              if name != spec.provider and (other := _usable(name)) is not None]  # fmt: skip
    for other in usable:  # the same model is as accurate
        if _has(other, spec.model):
            return Member(smaller, model), Member(other, spec.model)
    for other in usable[:1]:
        return Member(smaller, model), Member(other, other.default_model)
    fallback = make_provider(spec.provider, spec.settings)
    return Member(smaller, model), Member(fallback, model)


def _usable(name: str) -> ASRProvider | None:
    try:
        with provider_errors(name):
            provider = make_provider(name, {})
            return provider if provider.is_available and _is_local(provider) else None
    except EchobenchError:
        return None  # an installed package is broken


def _is_local(provider: ASRProvider) -> bool:
    return provider.locate_model(provider.default_model) is not None


def _has(provider: ASRProvider, model: str) -> bool:
    try:
        with provider_errors(provider.name):
            return provider.locate_model(model) is not None
    except EchobenchError:
        return False


async def _reset_at(at_s: float, degrader: Degrader) -> None:
    await sleep_until(at_s)
    await degrader.reset("scheduled by the exercise")

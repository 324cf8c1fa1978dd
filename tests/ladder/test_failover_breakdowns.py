"""Providers that fail, hang or can't be loaded: another takes over, and all audio adds up."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.clock import ClockKind
from harness.contract import AudioSource, SessionConfig
from harness.errors import AudioError, EchobenchError, ProviderError
from harness.journal.events import Event
from harness.ladder.failover import FailoverProvider, Member
from harness.metrics import TrialLog
from harness.provider.timeouts import Timeouts
from harness.session.session import hold_session, input_of
from harness.session.settings import SessionSettings
from tests.ladder.failovers import assert_sound, finals, numbers, played, relay_of
from tests.ladder.numbers import Numbers, counting
from tests.profiles import examples
from tests.trials import spec_of

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


@pytest.mark.slow
@given(st.integers(1, 20), st.integers(1, 6), st.sampled_from([0.25, 0.5, 2.0]))
@settings(max_examples=examples(15))
def test_a_breakdown_at_any_moment_loses_nothing(
    fails_at: int, finals_of: int, chunk_s: float
) -> None:
    track = counting(10.0)
    failover = relay_of(Numbers(finals_of, fails_at=fails_at), Numbers(3))
    met: list[str] = []

    async def take_over(member: Member, error: EchobenchError) -> None:
        met.append(str(error))
        await failover.switch_to(failover.members[1])

    failover.on_failure = take_over
    log = played(failover, track, chunk_s=chunk_s)
    assert_sound(log, track)
    assert len(met) == 1
    assert f"broke down at {fails_at}" in met[0]
    before = [n for n in numbers(log) if n < fails_at - fails_at % finals_of]
    said_by_first = [int(word) for segment in finals(log) for word in segment.text.split()]
    assert said_by_first[: len(before)] == before


def test_both_sources_of_a_provider_that_breaks_down_are_taken_over_once() -> None:
    tracks = counting(10.0, MIC), counting(10.0, SYSTEM, first=501)
    broken = Numbers(4, fails_at=9)
    failover = relay_of(broken, Numbers(4))
    met: list[Member] = []

    async def take_over(member: Member, error: EchobenchError) -> None:
        met.append(member)
        await failover.switch_to(failover.members[1])

    failover.on_failure = take_over
    assert_sound(played(failover, *tracks), *tracks)
    assert met == [failover.members[0]]


def test_without_anyone_to_take_over_a_breakdown_ends_the_session() -> None:
    with pytest.raises(ProviderError, match="numbers: broke down at 7"):
        played(relay_of(Numbers(fails_at=7)), counting(20.0))


def test_a_provider_that_failed_can_be_switched_to_again() -> None:
    """By hand, as after the cause was mended: it gets a new session."""
    first = Numbers(4, fails_at=5)
    failover = relay_of(first, Numbers(4))

    async def take_over(member: Member, error: EchobenchError) -> None:
        await failover.switch_to(failover.members[1])

    async def mend(failover: FailoverProvider) -> None:
        await asyncio.sleep(10.0)
        first.fails_at = 0
        await failover.switch_to(failover.members[0])

    failover.on_failure = take_over
    track = counting(20.0)
    assert_sound(played(failover, track, meanwhile=mend), track)
    assert first.sessions == 2
    assert failover.members[0].failure is None


def test_bad_audio_is_nobodys_breakdown() -> None:
    failover = relay_of(Numbers(), Numbers())

    async def never(member: Member, error: EchobenchError) -> None:
        raise AssertionError(error)

    failover.on_failure = never

    async def bad() -> None:
        await failover.start_session("s", SessionConfig(model="none"))
        with pytest.raises(AudioError, match="8000 Hz"):
            async for _ in failover.transcribe_stream(_nothing(), 8000, MIC):
                pass
        await failover.stop_session("s")

    clock.run(bad(), ClockKind.VIRTUAL)


async def _nothing() -> Any:
    nothing: tuple[bytes, ...] = ()
    for each in nothing:
        yield each


def test_one_that_is_stuck_is_left_for_another() -> None:
    failover = relay_of(Numbers(4, hangs_at=7), Numbers(4))
    events: list[Event] = []
    track = counting(40.0)
    spec = spec_of("failover", "none", chunk_seconds=0.5)

    async def take_over(member: Member, error: EchobenchError) -> None:
        assert "nothing moved for 5 s" in str(error)
        await failover.switch_to(failover.members[1])

    failover.on_failure = take_over

    async def session() -> None:
        await hold_session(
            failover, "s", "none", SessionSettings(0.5, 60.0, Timeouts(answer_s=5.0)),
            [input_of(track, events.append)], events.append, on_stalled=failover.give_up,
        )  # fmt: skip

    clock.run(session(), ClockKind.VIRTUAL)
    assert_sound(TrialLog(spec, events), track)


def test_a_standby_that_cannot_be_loaded_is_told_at_the_start() -> None:
    class Unloadable(Numbers):
        def load(self, config: SessionConfig) -> None:
            raise ProviderError("numbers", f"has no {config.model}")

    failover = relay_of(Numbers(), Unloadable())

    async def start() -> None:
        with pytest.raises(ProviderError, match="has no model-1"):
            await failover.start_session("s", SessionConfig(model="none"))
        failover.members.pop()
        assert await failover.start_session("s", SessionConfig(model="none"))
        assert not await failover.start_session("t", SessionConfig(model="none"))
        with pytest.raises(ProviderError, match="asked to stop 't'"):
            await failover.stop_session("t")
        await failover.stop_session("s")

    clock.run(start(), ClockKind.VIRTUAL)

"""Providers behind one another: nothing final is lost, nothing is said twice, all audio adds up."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind, now_s
from harness.contract import ASRProvider, ASRSegment, AudioSource, SessionConfig
from harness.errors import AudioError, EchobenchError, ProviderError
from harness.journal.events import Event, Sampled, SegmentArrived
from harness.ladder.failover import FailoverProvider, Member
from harness.metrics import TrialLog
from harness.metrics.integrity import missing_samples, out_of_order_segments
from harness.provider.timeouts import Timeouts
from harness.session.session import hold_session, input_of, run_session
from harness.session.settings import SessionSettings
from harness.timeline.timeline import Track
from tests.ladder.numbers import Numbers, counting
from tests.profiles import examples
from tests.trials import spec_of

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
Meanwhile = Callable[[FailoverProvider], Coroutine[Any, Any, None]]


def played(
    failover: FailoverProvider,
    *tracks: Track,
    chunk_s: float = 0.5,
    meanwhile: Meanwhile | None = None,
) -> TrialLog:
    """Play tracks through a failover on the virtual clock, while something is done to it."""
    spec = spec_of("failover", "none", chunk_seconds=chunk_s, scenario=None)
    events: list[Event] = []

    async def session() -> None:
        doing = asyncio.create_task(meanwhile(failover)) if meanwhile else None
        try:
            await run_session(failover, spec, tracks, events.append)
        finally:
            if doing is not None:
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)
            await failover.close()

    clock.run(session(), ClockKind.VIRTUAL)
    return TrialLog(spec, events)


def finals(log: TrialLog, source: AudioSource = MIC) -> list[ASRSegment]:
    return [segment for _, segment in log.finals(source)]


def numbers(log: TrialLog, source: AudioSource = MIC) -> list[int]:
    return [int(word) for segment in finals(log, source) for word in segment.text.split()]


def relay_of(*providers: ASRProvider) -> FailoverProvider:
    return FailoverProvider(
        [Member(provider, f"model-{n}") for n, provider in enumerate(providers)]
    )


def assert_sound(log: TrialLog, *tracks: Track) -> None:
    """All numbers, once each and in order; segments in order; every sample accounted for."""
    for track in tracks:
        assert numbers(log, track.source) == list(dict.fromkeys(track.audio.tolist()))
    assert missing_samples(log) == 0
    assert out_of_order_segments(log).value == 0
    for segment in (said.segment for said in log.of(SegmentArrived)):
        assert segment.t1 - segment.t0 >= 0
    accounts = log.of(Sampled)[-1].health.audio
    assert {account.pending for account in accounts.values()} == {0}


def test_without_a_change_it_is_as_if_it_were_not_there() -> None:
    track = counting(20.0)
    alone = played(relay_of(Numbers()), track)
    direct: list[Event] = []
    provider = Numbers()
    spec = spec_of("numbers", "none", chunk_seconds=0.5)
    clock.run(run_session(provider, spec, [track], direct.append), ClockKind.VIRTUAL)
    said = [event.segment for event in direct if isinstance(event, SegmentArrived)]
    assert [event.segment for event in alone.of(SegmentArrived)] == said
    assert_sound(alone, track)


@pytest.mark.slow
@given(
    st.lists(st.floats(0.0, 9.9), max_size=5).map(sorted),
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from([0.25, 0.5, 0.75, 2.0]),
    st.floats(0.0, 0.9),
)
@settings(max_examples=examples(25))
def test_changes_at_any_moment_lose_nothing_and_repeat_nothing(
    times_s: list[float], finals_of: int, others_of: int, chunk_s: float, cost: float
) -> None:
    async def change(failover: FailoverProvider) -> None:
        begin_s = now_s()
        for turn, at_s in enumerate(times_s):
            await asyncio.sleep(begin_s + at_s - now_s())
            await failover.switch_to(failover.members[(turn + 1) % 2])

    track = counting(10.0)
    failover = relay_of(Numbers(finals_of, cost), Numbers(others_of, cost / 3))
    log = played(failover, track, chunk_s=chunk_s, meanwhile=change)
    assert_sound(log, track)


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


def test_two_sources_move_together_and_do_not_mix() -> None:
    tracks = counting(20.0, MIC), counting(20.0, SYSTEM, first=501, start_s=0.3)

    async def change(failover: FailoverProvider) -> None:
        await asyncio.sleep(7.1)
        await failover.switch_to(failover.members[1])
        await asyncio.sleep(6.0)
        await failover.switch_to(failover.members[0])

    failover = relay_of(Numbers(5), Numbers(3))
    log = played(failover, *tracks, meanwhile=change)
    assert_sound(log, *tracks)
    lengths = [len(segment.text.split()) for segment in finals(log, SYSTEM)]
    assert 3 in lengths
    assert lengths[0] == 5


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


def test_a_second_session_begins_with_the_first_provider() -> None:
    first, second = Numbers(5), Numbers(3)
    failover = relay_of(first, second)

    async def both() -> list[list[int]]:
        lengths = []
        for _ in range(2):
            events: list[Event] = []
            spec = spec_of("failover", "none", chunk_seconds=0.5)
            doing = asyncio.create_task(_change(failover))
            await run_session(failover, spec, [counting(10.0)], events.append)
            doing.cancel()
            lengths.append([len(s.text.split()) for s in finals(TrialLog(spec, events))])
        return lengths

    async def _change(failover: FailoverProvider) -> None:
        await asyncio.sleep(5.0)
        await failover.switch_to(failover.members[1])

    one, two = clock.run(both(), ClockKind.VIRTUAL)
    assert one == two
    assert one[0] == 5
    assert 3 in one


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


def test_what_was_left_open_and_is_never_taken_up_becomes_final() -> None:
    """The one that takes over hears nothing in it, as a smaller model may."""

    class Deaf(Numbers):
        async def transcribe_stream(
            self,
            pcm_stream: Any,
            sample_rate: int = SAMPLE_RATE_HZ,
            source: AudioSource | None = None,
        ) -> Any:
            session = self.open_stream(source, sample_rate)
            account = session.audio[source]
            async for pcm in pcm_stream:
                account.received += len(pcm) // 2
                account.skipped += len(pcm) // 2
            nothing: tuple[ASRSegment, ...] = ()
            for each in nothing:
                yield each
            session.streaming.discard(source)

    async def change(failover: FailoverProvider) -> None:
        await asyncio.sleep(8.7)
        await failover.switch_to(failover.members[1])

    log = played(relay_of(Numbers(5), Deaf()), counting(20.0), meanwhile=change)
    assert numbers(log) == list(range(1, 18))  # 15 were final, 16 and 17 shown
    assert out_of_order_segments(log).value == 0
    assert missing_samples(log) == 0

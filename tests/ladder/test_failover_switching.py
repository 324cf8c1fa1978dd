"""Switching between providers: nothing final is lost, nothing is said twice, all audio adds up."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind, now_s
from harness.contract import ASRSegment, AudioSource
from harness.journal.events import Event, SegmentArrived
from harness.ladder.failover import FailoverProvider
from harness.metrics import TrialLog
from harness.metrics.integrity import missing_samples, out_of_order_segments
from harness.session.session import run_session
from tests.ladder.failovers import assert_sound, finals, numbers, played, relay_of
from tests.ladder.numbers import Numbers, counting
from tests.profiles import examples
from tests.trials import spec_of

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


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

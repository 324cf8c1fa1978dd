"""The queue between capture and provider: bounded, and every chunk accounted for."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind, now_s, sleep_until
from harness.contract import ASRSegment, AudioSource, Word
from harness.journal.events import Backpressure, ChunkDone, ChunkTaken, Dropped, Event, Queued
from harness.session.chunk_queue import HIGH_LEVEL, MAX_TALK, ChunkQueue
from harness.session.chunking import Chunk

MIC = AudioSource.MIC
CAPACITY_S = 3.0
TAKE = "take"
actions = st.lists(st.one_of(st.just(TAKE), st.floats(0.01, 5.0)), max_size=60)


class Feed:
    """Puts numbered chunks into a queue."""

    def __init__(self, capacity_s: float = CAPACITY_S) -> None:
        self.events: list[Event] = []
        self.queue = ChunkQueue(MIC, 0.0, now_s(), capacity_s, self.events.append)
        self._index = self._at = 0

    def put(self, length_s: float) -> None:
        pcm = np.full(round(length_s * SAMPLE_RATE_HZ), self._index, np.int16)
        self.queue.put(Chunk(self._index, self._at, pcm))
        self._index, self._at = self._index + 1, self._at + len(pcm)

    def chunks(
        self, kind: type[Queued] | type[Dropped] | type[ChunkTaken] | type[ChunkDone]
    ) -> list[int]:
        return [event.chunk for event in self.events if isinstance(event, kind)]

    def waiting(self) -> list[int]:
        gone = {*self.chunks(Dropped), *self.chunks(ChunkTaken)}
        return [chunk for chunk in self.chunks(Queued) if chunk not in gone]


async def perform(steps: list[float | str], capacity: int) -> Feed:
    """Put and take as told, and check after every step that all adds up."""
    feed = Feed(capacity / SAMPLE_RATE_HZ)
    stream = feed.queue.pcm()
    for step in steps:
        if isinstance(step, float):
            feed.put(step)
        elif feed.waiting():
            oldest = feed.waiting()[0]
            pcm = await anext(stream)
            assert set(np.frombuffer(pcm, "<i2").tolist()) == {oldest}
        assert_adds_up(feed, capacity)
    left = feed.waiting()
    feed.queue.end()
    assert [np.frombuffer(pcm, "<i2")[0] async for pcm in stream] == left
    assert feed.waiting() == []
    assert feed.chunks(ChunkDone) == feed.chunks(ChunkTaken)
    return feed


def assert_adds_up(feed: Feed, capacity: int) -> None:
    queued, dropped, begun = (feed.chunks(kind) for kind in (Queued, Dropped, ChunkTaken))
    assert sorted([*dropped, *begun, *feed.waiting()]) == queued
    assert dropped == sorted(dropped)
    assert begun == sorted(begun)
    sizes = {event.chunk: event.samples for event in feed.events if isinstance(event, Queued)}
    behind_newest = sum(sizes[chunk] for chunk in feed.waiting()[:-1])
    assert behind_newest <= capacity
    assert feed.queue.handed_over == sum(sizes[chunk] for chunk in begun)
    last = next(
        (event for event in reversed(feed.events) if isinstance(event, Queued | ChunkTaken)), None
    )
    assert (last.depth if last else 0) == len(feed.waiting())
    levels = [event.level for event in feed.events if isinstance(event, Backpressure)]
    assert all((before < HIGH_LEVEL) != (after < HIGH_LEVEL) for before, after in pairwise(levels))
    assert all(0 <= level <= 1 for level in levels)
    pressed = bool(levels) and levels[-1] >= HIGH_LEVEL
    assert pressed == (min(1.0, behind_newest / capacity) >= HIGH_LEVEL)


@given(actions, st.integers(1, 20 * SAMPLE_RATE_HZ))
def test_every_chunk_is_taken_dropped_or_waits(steps: list[float | str], capacity: int) -> None:
    clock.run(perform(steps, capacity), ClockKind.VIRTUAL)


def test_the_oldest_are_dropped_and_the_newest_always_fits() -> None:
    async def flood() -> Feed:
        feed = Feed(capacity_s=1.0)
        for length_s in (0.5, 0.5, 0.5, 0.5, 30.0, 30.0):
            feed.put(length_s)
        return feed

    feed = clock.run(flood(), ClockKind.VIRTUAL)
    assert feed.chunks(Dropped) == [0, 1, 2, 3, 4]
    assert feed.waiting() == [5]


def test_the_smallest_room_is_still_a_queue() -> None:
    async def tiny() -> Feed:
        feed = Feed(capacity_s=1e-6)
        for _ in range(3):
            feed.put(0.5)
        return feed

    assert clock.run(tiny(), ClockKind.VIRTUAL).waiting() == [2]


def test_pressure_is_told_when_it_comes_and_when_it_goes() -> None:
    async def press() -> list[Event]:
        feed = Feed(capacity_s=4.0)
        stream = feed.queue.pcm()
        for _ in range(5):
            feed.put(1.0)
        for _ in range(4):
            await anext(stream)
        return feed.events

    told = [e for e in clock.run(press(), ClockKind.VIRTUAL) if isinstance(e, Backpressure)]
    assert [(event.level, event.reason) for event in told] == [
        (0.5, "the provider is slower than the audio"),
        (0.25, "caught up"),
    ]


def test_an_empty_queue_waits_and_an_ended_one_ends() -> None:
    async def late() -> tuple[float, list[bytes]]:
        feed = Feed()
        origin_s = now_s()

        async def feed_late() -> None:
            await sleep_until(origin_s + 100)
            feed.put(1.0)
            await sleep_until(origin_s + 200)
            feed.queue.end()

        async def drain(stream: AsyncIterator[bytes]) -> list[bytes]:
            return [pcm async for pcm in stream]

        async with asyncio.TaskGroup() as group:
            group.create_task(feed_late())
            draining = group.create_task(drain(feed.queue.pcm()))
        return now_s() - origin_s, draining.result()

    took_s, taken = clock.run(late(), ClockKind.VIRTUAL)
    assert took_s == pytest.approx(200, abs=1)
    assert len(taken) == 1


def test_a_provider_is_stuck_only_while_it_has_something_to_do() -> None:
    async def idle_then_stuck() -> list[float]:
        feed, origin_s = Feed(), now_s()
        stream = feed.queue.pcm()
        stuck_s = []

        async def look_at(at_s: float) -> None:
            await sleep_until(origin_s + at_s)
            stuck_s.append(feed.queue.stuck_for_s())

        await look_at(50)  # no audio yet
        feed.put(1.0)
        await look_at(60)  # a chunk waits
        await anext(stream)
        await look_at(75)  # and now is in hand
        feed.queue.answered()
        await look_at(76)  # it spoke
        for at_s in range(77, 175):
            feed.queue.answered()
            await look_at(at_s)  # and speaks on, without taking audio
        feed.queue.end()
        await look_at(180)
        return stuck_s

    stuck_s = clock.run(idle_then_stuck(), ClockKind.VIRTUAL)
    assert stuck_s[:4] == pytest.approx([0, 10, 15, 16 / MAX_TALK], abs=0.5)
    assert stuck_s[-2] == pytest.approx((174 - 60) / MAX_TALK, abs=0.5)
    assert stuck_s[-1] == pytest.approx(6, abs=0.5)


def test_every_other_chunk_may_be_left_out_and_is_counted() -> None:
    async def half() -> Feed:
        feed = Feed(capacity_s=100.0)
        for number in range(10):
            feed.queue.keep_every = 2 if 2 <= number < 8 else 1
            feed.put(1.0)
        feed.queue.end()
        taken = [int(np.frombuffer(pcm, "<i2")[0]) async for pcm in feed.queue.pcm()]
        assert taken == feed.chunks(ChunkTaken)
        return feed

    feed = clock.run(half(), ClockKind.VIRTUAL)
    assert feed.chunks(Queued) == list(range(10))
    assert feed.chunks(Dropped) == [2, 4, 6]
    assert feed.chunks(ChunkTaken) == [0, 1, 3, 5, 7, 8, 9]


def test_what_was_dropped_takes_its_place_in_time() -> None:
    """A provider counts what it is given; a caption belongs where it was said."""

    async def gappy() -> list[ASRSegment]:
        feed = Feed(capacity_s=2.0)
        for _ in range(6):  # the first three are dropped
            feed.put(1.0)
        feed.queue.end()
        async for _ in feed.queue.pcm():
            pass
        words = (Word("one", 0.1, 0.5), Word("two", 1.2, 2.5))
        segment = ASRSegment(source=MIC, segment_id=0, revision=0, is_final=True,
                             text="one two", t0=0.0, t1=3.0, words=words)  # fmt: skip
        return [feed.queue.time_map.moved(segment)]

    (moved,) = clock.run(gappy(), ClockKind.VIRTUAL)
    assert (moved.t0, moved.t1) == (3.0, 6.0)
    assert [(word.t0, word.t1) for word in moved.words] == [(3.1, 3.5), (4.2, 5.5)]

"""A source plays by the clock, to absolute deadlines, whatever becomes of its audio."""

import asyncio
import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind, now_s
from harness.contract import AudioSource
from harness.journal.events import ChunkTaken, Event, Queued
from harness.runner.validity import feeder_problem, limits_asked_for
from harness.session.chunk_queue import ChunkQueue
from harness.session.chunking import Chunker
from harness.session.source import Feed, play
from tests.profiles import examples
from tests.session.sessions import Working, play_to, silent_track


def lateness_s(events: list[Event]) -> list[float]:
    return [event.at_s - event.due_s for event in events if isinstance(event, Queued)]


async def played(audio_s: float, chunk_s: float, start_s: float) -> list[Event]:
    """Play to a queue that nobody empties."""
    events: list[Event] = []
    track = silent_track(audio_s, start_s=start_s)
    origin_s = now_s()
    queue = ChunkQueue(AudioSource.MIC, start_s, origin_s, 10.0, events.append)
    feed = Feed(AudioSource.MIC, Chunker(chunk_s), queue, None, events.append, origin_s)
    await play(track, events.append, feed, origin_s)
    return events


@pytest.mark.alone
@pytest.mark.slow
@given(st.floats(0.02, 12.0), st.floats(0.01, 30.0), st.floats(0, 100))
@settings(max_examples=examples(60))
def test_chunks_come_when_their_last_sample_does(
    chunk_s: float, audio_s: float, start_s: float
) -> None:
    """Also where a chunk ends between two buffers of a sound card."""
    events = clock.run(played(audio_s, chunk_s, start_s), ClockKind.VIRTUAL)
    late_s = lateness_s(events)
    assert min(late_s) >= -1e-6
    assert statistics.median(late_s) < 0.002
    ends = [event.first_sample + event.samples for event in events if isinstance(event, Queued)]
    assert ends[-1] == round(audio_s * SAMPLE_RATE_HZ)
    dues = [event.due_s for event in events if isinstance(event, Queued)]
    assert dues == pytest.approx([start_s + end / SAMPLE_RATE_HZ for end in ends])


@pytest.mark.parametrize("chunk_s", [0.25, 0.75, 1.05])
def test_no_chunk_size_makes_a_trial_void(chunk_s: float) -> None:
    events = clock.run(played(20.0, chunk_s, 0.0), ClockKind.VIRTUAL)
    assert feeder_problem(events, chunk_s, limits_asked_for()) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(ClockKind))
def test_a_slow_provider_delays_no_chunk(kind: ClockKind) -> None:
    events = play_to(
        Working(lambda: time.sleep(0.2)), silent_track(0.8), chunk_seconds=0.1, kind=kind
    )
    begun_s = [event.at_s for event in events if isinstance(event, ChunkTaken)]
    assert begun_s[-1] > 7 * 0.2  # it did fall behind
    assert statistics.median(lateness_s(events)) < 0.05
    assert len(lateness_s(events)) == 8


@pytest.mark.slow
@pytest.mark.usefixtures("late_is_void")
def test_a_blocked_loop_voids_the_trial() -> None:
    """The one thing that does delay a source is a provider that keeps the loop to itself."""

    async def blocked() -> list[Event]:
        playing = asyncio.create_task(played(2.0, 0.1, 0.0))
        await asyncio.sleep(0.25)
        time.sleep(0.5)  # noqa: ASYNC251  (that is the point)
        return await playing

    events = clock.run(blocked(), ClockKind.VIRTUAL)
    problem = feeder_problem(events, 0.1, limits_asked_for())
    assert problem is not None
    assert "machine was too busy" in problem
    late_s = lateness_s(events)
    assert max(late_s) >= 0.4
    assert late_s[-1] < 0.1  # the deadlines are absolute, so the delay is not passed on

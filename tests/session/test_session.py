"""A session: audio conserved to the sample at every moment, and a provider held to its word."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioSource, InferenceSpan, SessionConfig
from harness.errors import ProviderError, StalledError
from harness.journal.events import (
    ChunkDone,
    ChunkTaken,
    Dropped,
    Event,
    Inferred,
    Queued,
    Sampled,
    SessionEnded,
)
from harness.metrics import TrialLog
from harness.metrics.integrity import unaccounted_samples
from harness.provider.resident import Session
from harness.provider.timeouts import Timeouts
from harness.session.session import run_session
from tests.profiles import examples
from tests.session.sessions import play_to, silent_track
from tests.stand_ins.null import Null
from tests.trials import spec_of

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
TIMEOUTS = Timeouts(answer_s=5.0, stop_s=3.0)


class Leisurely(Null):
    """Waits for each chunk as long as it is told to, in turn, on the trial's clock."""

    def __init__(self, waits_s: list[float], *, leaves_after: int | None = None) -> None:
        super().__init__()
        self._waits_s, self._leaves_after = waits_s, leaves_after

    async def heard(
        self, session: Session, source: AudioSource | None, chunk: int
    ) -> AsyncIterator[ASRSegment]:
        await asyncio.sleep(self._waits_s[chunk % len(self._waits_s)])
        async for segment in super().heard(session, source, chunk):
            yield segment

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        taken = pcm_stream if self._leaves_after is None else first(pcm_stream, self._leaves_after)
        async for segment in super().transcribe_stream(taken, sample_rate, source):
            yield segment


async def first(stream: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    for _ in range(most):
        yield await anext(stream)


def assert_conserved(events: list[Event], source: AudioSource) -> None:
    """Produced = taken + dropped + waiting after every event, in chunks and in samples."""
    sizes: dict[int, int] = {}
    fate: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Sampled):
            assert event.handed_over[source] == fate["taken"]
        elif (
            isinstance(event, Queued | ChunkTaken | Dropped | ChunkDone) and event.source is source
        ):
            if isinstance(event, Queued):
                assert event.first_sample == sum(sizes.values())
                sizes[event.chunk] = event.samples
                fate["produced"] += event.samples
                fate["waiting_chunks"] += 1
            elif isinstance(event, ChunkTaken):
                fate["taken"] += sizes[event.chunk]
                fate["waiting_chunks"] -= 1
            elif isinstance(event, Dropped):
                # the queue makes room before it tells of the newcomer
                fate["dropped"] += sizes[event.chunk]
                fate["waiting_chunks"] -= 1
            if isinstance(event, Queued | ChunkTaken):
                assert event.depth == fate["waiting_chunks"]
            assert fate["taken"] + fate["dropped"] <= fate["produced"]


@pytest.mark.slow
@given(
    chunk_s=st.floats(0.05, 5.0),
    waits_s=st.lists(st.floats(0, 20), min_size=1, max_size=5),
    queue_s=st.floats(0.1, 10),
    audio_s=st.lists(st.floats(0.5, 40), min_size=1, max_size=2),
    start_s=st.floats(0, 3),
)
@settings(max_examples=examples(40))
def test_nothing_is_lost_whatever_the_provider_takes(
    chunk_s: float, waits_s: list[float], queue_s: float, audio_s: list[float], start_s: float
) -> None:
    tracks = [silent_track(length_s, (MIC, SYSTEM)[number], number * start_s)
              for number, length_s in enumerate(audio_s)]  # fmt: skip
    provider = Leisurely(waits_s)
    events = play_to(provider, *tracks, chunk_seconds=chunk_s, queue_s=queue_s)
    for track in tracks:
        assert_conserved(events, track.source)
        mine = [event for event in events if getattr(event, "source", None) is track.source]
        queued = [event for event in mine if isinstance(event, Queued)]
        assert sum(event.samples for event in queued) == len(track.audio)
        gone = [event.chunk for event in mine if isinstance(event, ChunkTaken | Dropped)]
        assert sorted(gone) == [event.chunk for event in queued]
    assert unaccounted_samples(TrialLog(spec_of("null", "none"), events)).value == 0
    assert isinstance(events[-1], SessionEnded)


@pytest.mark.parametrize("leaves_after", [0, 2, 10])
def test_a_provider_that_stops_listening_is_an_error(leaves_after: int) -> None:
    """Also after the last chunk: it can't know that there is no more unless it asks."""
    provider = Leisurely([0.0], leaves_after=leaves_after)
    problem = f"source mic: ended its answer after {leaves_after} chunks, while audio went on"
    with pytest.raises(ProviderError, match=problem):
        play_to(provider, silent_track(10.0), chunk_seconds=1.0)


def test_a_source_that_is_done_is_not_stuck_while_the_other_goes_on() -> None:
    tracks = silent_track(2.0, MIC), silent_track(60.0, SYSTEM)
    events = play_to(Leisurely([3.0]), *tracks, chunk_seconds=1.0, queue_s=2.0, timeouts=TIMEOUTS)
    assert isinstance(events[-1], SessionEnded)


def test_slow_is_not_stuck() -> None:
    events = play_to(
        Leisurely([4.5]), silent_track(30.0), chunk_seconds=1.0, queue_s=2.0, timeouts=TIMEOUTS
    )
    assert isinstance(events[-1], SessionEnded)
    assert any(isinstance(event, Dropped) for event in events)


def test_a_provider_that_is_stuck_is_found_out_in_time() -> None:
    class Stuck(Leisurely):
        stopped_after: str | None = None

        async def stop_session(self, session_id: str) -> None:
            self.stopped_after = session_id
            await super().stop_session(session_id)

    provider = Stuck([0.0, 0.0, 1e6])
    events: list[Event] = []
    spec = spec_of(provider.name, "none")

    async def session() -> float:
        begin_s = clock.now_s()
        with pytest.raises(StalledError, match="source mic: nothing moved for 5 s"):
            await run_session(provider, spec, [silent_track(60)], events.append, TIMEOUTS)
        return clock.now_s() - begin_s

    took_s = clock.run(session(), ClockKind.VIRTUAL)
    assert 3 + TIMEOUTS.answer_s < took_s < 3 + TIMEOUTS.answer_s + 3
    assert provider.stopped_after == spec.key


def test_the_first_error_is_the_one_that_is_told() -> None:
    class Fails(Null):
        async def heard(
            self, session: Session, source: AudioSource | None, chunk: int
        ) -> AsyncIterator[ASRSegment]:
            async for segment in super().heard(session, source, chunk):
                yield segment
            raise LookupError("in the stream")

        async def stop_session(self, session_id: str) -> None:
            await super().stop_session(session_id)
            raise LookupError("in the stop")

    with pytest.raises(ProviderError, match="LookupError: in the stream"):
        run_alone(Fails())


def test_a_stop_that_never_returns_is_an_error() -> None:
    class NeverStops(Null):
        async def stop_session(self, session_id: str) -> None:
            await asyncio.Event().wait()

    with pytest.raises(StalledError, match="stop_session had not returned after 3 s"):
        run_alone(NeverStops())


def test_a_refused_session_is_an_error() -> None:
    class Busy(Null):
        async def start_session(self, session_id: str, config: SessionConfig) -> bool:
            return False

    with pytest.raises(ProviderError, match="refused a session"):
        run_alone(Busy())


def test_a_source_that_fails_ends_the_other_one_too() -> None:
    class HalfDeaf(Leisurely):
        left: AudioSource | None = None

        async def heard(
            self, session: Session, source: AudioSource | None, chunk: int
        ) -> AsyncIterator[ASRSegment]:
            try:
                async for segment in super().heard(session, source, chunk):
                    yield segment
            except asyncio.CancelledError:
                self.left = source
                raise
            if source is SYSTEM:
                raise LookupError("no system audio")

    provider = HalfDeaf([4.0])
    with pytest.raises(ProviderError, match="source system: raised LookupError"):
        run_alone(provider, MIC, SYSTEM)
    assert provider.left is MIC


def test_what_an_engine_does_before_or_after_the_session_belongs_to_no_trial() -> None:
    class Eager(Null):
        """Works while it loads too."""

        async def start_session(self, session_id: str, config: SessionConfig) -> bool:
            self.observer = config.observer
            self.observer.inferred(InferenceSpan(MIC, 0.0, 1.0, 1.0))
            return await super().start_session(session_id, config)

    provider = Eager()
    events = run_alone(provider)
    provider.observer.inferred(InferenceSpan(MIC, 0.0, 1.0, 1.0))
    assert not any(isinstance(event, Inferred) for event in events)


def run_alone(provider: Null, *sources: AudioSource) -> list[Event]:
    events: list[Event] = []
    tracks = [silent_track(4.0, source) for source in sources or (MIC,)]
    spec = spec_of(provider.name, "none")
    clock.run(run_session(provider, spec, tracks, events.append, TIMEOUTS), ClockKind.VIRTUAL)
    return events


def test_what_looks_at_a_session_leaves_no_thread() -> None:
    def meters() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.name.startswith("meters")}

    before = meters()
    events = play_to(Null(), silent_track(2.0), chunk_seconds=1.0)
    assert any(isinstance(event, Sampled) for event in events)
    for thread in meters() - before:
        thread.join(5.0)
    assert not meters() - before

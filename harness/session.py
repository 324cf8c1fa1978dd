"""Runs a provider on a timeline and emits what happens, on the clock that is running."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec

from harness.blame import blamed
from harness.chunking import Chunker
from harness.chunkqueue import ChunkQueue
from harness.clock import now_s
from harness.contract import ASRProvider, InferenceSpan, Interruption, SessionConfig
from harness.errors import EchobenchError, ProviderError
from harness.events import BeepHeard, Event, Inferred, Interrupted, Said, SessionEnded
from harness.output import MOST_SEGMENTS, BadOutputError, checked_segment
from harness.patience import DEFAULT, Patience
from harness.source import Feed, play
from harness.timeline import Track
from harness.trial import TrialSpec
from harness.vad import PreFilter, make_detector
from harness.watch import StalledError, Watch

Emit = Callable[[Event], None]


async def run_session(
    provider: ASRProvider,
    spec: TrialSpec,
    tracks: Sequence[Track],
    emit: Emit,
    patience: Patience = DEFAULT,
) -> None:
    """Play the tracks to the provider in one session, and stop it.

    Args:
        provider: Its model may be resident already.
        spec: The trial.
        tracks: What each source plays.
        emit: Takes events, from any thread.
        patience: How long the provider may take to answer and to stop.

    Raises:
        ProviderError: The provider failed, got stuck or broke the contract.
        AudioError, ModelError, UnavailableError: As the provider raised them.
    """
    config = SessionConfig(model=spec.model, chunk_seconds=spec.chunk_seconds)
    with blamed(provider.name):
        started = await provider.start_session(spec.key, config)
    if not started:
        raise ProviderError(provider.name, "refused a session while none was running")
    origin_s = now_s()

    def inferred(span: InferenceSpan) -> None:
        begin_s, end_s = span.begin_s - origin_s, span.end_s - origin_s
        emit(Inferred(source=span.source, begin_s=begin_s, end_s=end_s, window_s=span.window_s))

    def interrupted(what: Interruption) -> None:
        begin_s, end_s = what.begin_s - origin_s, what.end_s - origin_s
        plain = msgspec.structs.asdict(what)
        emit(Interrupted(**{**plain, "begin_s": begin_s, "end_s": end_s}))

    provider.on_inference, provider.on_interruption = inferred, interrupted
    try:
        await _stream_all(provider, spec, tracks, origin_s, emit, patience.answer_s)
    except BaseException:
        with contextlib.suppress(EchobenchError):  # the first error tells more than this one
            await _stop(provider, spec.key, patience.stop_s)
        raise
    finally:
        provider.on_inference = lambda span: None  # what it does now belongs to no trial
        provider.on_interruption = lambda what: None
    stop_from_s = now_s()
    await _stop(provider, spec.key, patience.stop_s)
    emit(SessionEnded(at_s=stop_from_s - origin_s, stop_s=now_s() - stop_from_s))


async def _stop(provider: ASRProvider, session_id: str, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            with blamed(provider.name):
                await provider.stop_session(session_id)
    except TimeoutError as error:
        problem = f"stop_session had not returned after {limit_s:g} s"
        raise StalledError(provider.name, problem) from error


async def _stream_all(
    provider: ASRProvider,
    spec: TrialSpec,
    tracks: Sequence[Track],
    origin_s: float,
    emit: Emit,
    answer_s: float,
) -> None:
    listeners = [Listener(provider, spec, track, origin_s, emit) for track in tracks]
    watch = Watch(provider, [each.queue for each in listeners], origin_s, emit, answer_s)
    try:
        async with asyncio.TaskGroup() as group:
            for track, each in zip(tracks, listeners, strict=True):
                prefilter = PreFilter(make_detector(spec.vad)) if spec.vad else None
                chunker = Chunker(spec.chunk_seconds)
                feed = Feed(track.source, chunker, each.queue, prefilter, emit, origin_s)
                group.create_task(play(track, feed, origin_s))
            watching = group.create_task(watch.keep_on())
            await asyncio.wait([group.create_task(each.listen()) for each in listeners])
            watching.cancel()
        await watch.sample()  # at the very end, when nothing may be pending any more
    except* EchobenchError as errors:
        raise errors.exceptions[0] from None
    for track, each in zip(tracks, listeners, strict=True):
        each.queue.heard.finish()
        for number, sample in enumerate(each.queue.heard.found):
            emit(BeepHeard(source=track.source, utterance=number, sample=sample))


class Listener:
    """Gives a source's chunks to the provider, and notes what it says and when."""

    def __init__(
        self, provider: ASRProvider, spec: TrialSpec, track: Track, origin_s: float, emit: Emit
    ) -> None:
        self.queue = ChunkQueue(
            track.source,
            track.start_s,
            origin_s,
            spec.scenario.queue_s,
            emit,
            track.rate_hz,
            self._flush,
            [u.beep_sample for u in track.truth if u.beep_sample is not None],
        )
        self._provider, self._source = provider, track.source
        self._origin_s, self._emit = origin_s, emit
        self._where = f"{provider.name}, source {track.source}"
        self._count = 0

    async def listen(self) -> None:
        """Stream all of the queue.

        Raises:
            ProviderError: The provider failed, babbles, or ended before the audio did.
        """
        queue = self.queue
        with blamed(self._where):
            stream = self._provider.transcribe_stream(queue.pcm(), source=self._source)
            async for segment in stream:
                self._note(segment)
        if not queue.drained:
            problem = f"ended its answer after {queue.taken} chunks, while audio went on"
            raise ProviderError(self._where, problem, "an answer to the whole stream")
        queue.close()

    async def _flush(self) -> None:
        """Ask for what is still open: silence is left out, so nothing else would end it."""
        with blamed(self._where):
            for segment in await self._provider.flush(self._source):
                self._note(segment)

    def _note(self, segment: object) -> None:
        said = checked_segment(segment, self._source, self._where)
        self.queue.answered()
        self._emit(Said(at_s=now_s() - self._origin_s, segment=self.queue.heard.moved(said)))
        self._count += 1
        if self._count > MOST_SEGMENTS * (self.queue.taken + 1):
            raise BadOutputError(
                self._where,
                f"said {self._count} segments about {self.queue.taken} chunks",
                f"at most {MOST_SEGMENTS} a chunk",
            )

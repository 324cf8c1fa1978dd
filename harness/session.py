"""Runs a provider on its sources and emits what happens, on the clock that is running."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from harness.blame import blamed
from harness.chunking import Chunker
from harness.chunkqueue import ChunkQueue
from harness.clock import now_s
from harness.contract import ASRProvider, AudioSource, InferenceSpan, SessionConfig
from harness.errors import EchobenchError, ProviderError
from harness.events import Event, Inferred, Said, SessionEnded
from harness.meters import Meters
from harness.output import MOST_SEGMENTS, BadOutputError, checked_segment
from harness.patience import DEFAULT, Patience
from harness.source import play
from harness.timeline import Track
from harness.trial import TrialSpec
from harness.watch import OnStalled, StalledError, Watch, end_session

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Input:
    """One source of a session."""

    source: AudioSource
    start_s: float
    """When its first sample is captured, in the session's time."""
    play: Callable[[Chunker, ChunkQueue, float], Coroutine[None, None, None]]
    """Fills the queue through the chunker, to its end; is given the session's zero on the clock."""


@dataclass(frozen=True)
class Stage:
    """A session that has begun, for what runs beside it."""

    origin_s: float
    """The session's zero on the running clock."""
    chunkers: Sequence[Chunker]
    queues: Sequence[ChunkQueue]


Beside = Callable[[Stage], Coroutine[None, None, None]]


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
    inputs = [Input(track.source, track.start_s, partial(play, track)) for track in tracks]
    await hold_session(provider, spec.key, config, inputs, spec.scenario.queue_s, emit, patience)


async def hold_session(
    provider: ASRProvider,
    session_id: str,
    config: SessionConfig,
    inputs: Sequence[Input],
    queue_s: float,
    emit: Emit,
    patience: Patience = DEFAULT,
    beside: Sequence[Beside] = (),
    on_stalled: OnStalled = end_session,
    meters: Meters | None = None,
) -> None:
    """Start a session, let the provider answer to all inputs to their end, and stop it.

    Args:
        provider: Its model may be resident already.
        session_id: The session's.
        config: The session's.
        inputs: The sources.
        queue_s: Audio that may wait behind a source's newest chunk.
        emit: Takes events, from any thread.
        patience: How long the provider may take to answer and to stop.
        beside: What else is to run meanwhile; an error of it ends the session.
        on_stalled: Called when the provider is stuck; raises to end the session.
        meters: What looks at the process and the machine; the session's own when None.

    Raises:
        ProviderError: The provider failed, got stuck or broke the contract.
        AudioError, ModelError, UnavailableError: As the provider raised them.
    """
    with blamed(provider.name):
        started = await provider.start_session(session_id, config)
    if not started:
        raise ProviderError(provider.name, "refused a session while none was running")
    origin_s = now_s()

    def inferred(span: InferenceSpan) -> None:
        begin_s, end_s = span.begin_s - origin_s, span.end_s - origin_s
        emit(Inferred(source=span.source, begin_s=begin_s, end_s=end_s, window_s=span.window_s))

    provider.on_inference = inferred
    stage = Stage(
        origin_s,
        [Chunker(config.chunk_seconds) for _ in inputs],
        [ChunkQueue(each.source, each.start_s, origin_s, queue_s, emit) for each in inputs],
    )
    watch = Watch(provider, stage.queues, origin_s, emit, patience.answer_s, on_stalled, meters)
    try:
        await _stream_all(provider, inputs, stage, emit, watch, beside)
    except BaseException:
        with contextlib.suppress(EchobenchError):  # the first error tells more than this one
            await _stop(provider, session_id, patience.stop_s)
        raise
    finally:
        provider.on_inference = lambda span: None  # what it does now belongs to no trial
    stop_from_s = now_s()
    await _stop(provider, session_id, patience.stop_s)
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
    inputs: Sequence[Input],
    stage: Stage,
    emit: Emit,
    watch: Watch,
    beside: Sequence[Beside],
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for source, chunker, queue in zip(inputs, stage.chunkers, stage.queues, strict=True):
                group.create_task(source.play(chunker, queue, stage.origin_s))
            watching = [group.create_task(watch.keep_on())]
            watching += [group.create_task(start(stage)) for start in beside]
            listening = [group.create_task(_listen(provider, queue, stage.origin_s, emit))
                         for queue in stage.queues]  # fmt: skip
            await asyncio.wait(listening)
            for task in watching:
                task.cancel()
        await watch.sample(last=True)  # when nothing may be pending any more
    except* EchobenchError as errors:
        raise errors.exceptions[0] from None


async def _listen(provider: ASRProvider, queue: ChunkQueue, origin_s: float, emit: Emit) -> None:
    """Give a source's chunks to the provider, and note what it says and when."""
    where = f"{provider.name}, source {queue.source}"
    count = 0
    with blamed(where):
        async for segment in provider.transcribe_stream(queue.pcm(), source=queue.source):
            said = checked_segment(segment, queue.source, where)
            queue.answered()
            emit(Said(at_s=now_s() - origin_s, segment=queue.in_source_time(said)))
            count += 1
            if count > MOST_SEGMENTS * (queue.taken + 1):
                raise BadOutputError(
                    where,
                    f"said {count} segments about {queue.taken} chunks",
                    f"at most {MOST_SEGMENTS} a chunk",
                )
    if not queue.drained:
        problem = f"ended its answer after {queue.taken} chunks, while audio went on"
        raise ProviderError(where, problem, "an answer to the whole stream")
    queue.close()

"""Runs a provider on its sources and emits the session's events."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s
from harness.contract import ASRProvider, AudioSource, SessionConfig
from harness.errors import EchobenchError, ProviderError, StalledError
from harness.journal.events import Event, SessionEnded
from harness.meters.meters import Meters
from harness.provider.attribution import provider_errors
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.session.beep_tap import BeepTap
from harness.session.chunk_queue import ChunkQueue, Tap, no_tap
from harness.session.chunking import Chunker
from harness.session.engine_events import EngineEvents
from harness.session.listener import Listener
from harness.session.settings import SessionSettings
from harness.session.source import Feed, play
from harness.session.watchdog import OnStalled, Watchdog, end_session
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import Track
from harness.vad import PreFilter, make_detector

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Input:
    """One source of a session."""

    source: AudioSource
    start_s: float
    """When its first sample is captured, in the session's time."""
    play: Callable[[Feed, float], Coroutine[None, None, None]]
    """Gives the feed all audio, to its end; takes the session's zero on the clock."""
    rate_hz: float = SAMPLE_RATE_HZ
    """Samples that it captures per second of the clock."""


@dataclass(frozen=True)
class RunningSession:
    """A session that has begun, as its side tasks see it; each sequence has an entry per source."""

    origin_s: float
    """The session's zero on the running clock."""
    chunkers: Sequence[Chunker]
    queues: Sequence[ChunkQueue]
    prefilters: Sequence[PreFilter]
    """Empty where silence isn't filtered out."""


SideTask = Callable[[RunningSession], Coroutine[None, None, None]]


async def run_session(
    provider: ASRProvider,
    spec: TrialSpec,
    tracks: Sequence[Track],
    emit: Emit,
    timeouts: Timeouts = DEFAULT,
) -> None:
    """Play the tracks to the provider in one session, and stop the session.

    Args:
        provider: Its model may be resident already.
        spec: The trial.
        tracks: What each source plays.
        emit: Takes events, from any thread.
        timeouts: How long the provider may take to answer and to stop.

    Raises:
        ProviderError: The provider failed, got stuck or broke the contract.
        AudioError, ModelError, UnavailableError: As the provider raised them.
    """
    beeps = BeepTap(tracks, emit)
    inputs = [input_of(track, emit) for track in tracks]
    settings = SessionSettings.of_trial(spec, timeouts)
    await hold_session(provider, spec.key, spec.model, settings, inputs, beeps.emit, tap=beeps.take)


def input_of(track: Track, emit: Emit) -> Input:
    """A track as a source of a session; `emit` gets the event of its end."""
    return Input(track.source, track.start_s, partial(play, track, emit), track.rate_hz)


async def hold_session(
    provider: ASRProvider,
    session_id: str,
    model: str,
    settings: SessionSettings,
    inputs: Sequence[Input],
    emit: Emit,
    *,
    tap: Tap = no_tap,
    side_tasks: Sequence[SideTask] = (),
    on_stalled: OnStalled = end_session,
) -> None:
    """Start a session, stream all inputs to their end, and stop the session.

    Args:
        provider: Its model may be resident already.
        session_id: The session's.
        model: The model to load.
        settings: The session's settings.
        inputs: The sources.
        emit: Takes events, from any thread.
        tap: Called with each chunk that the provider takes.
        side_tasks: Run beside the streams and cancelled after them; an error ends the session.
        on_stalled: Called when the provider is stuck; raises to end the session.

    Raises:
        ProviderError: The provider failed, got stuck or broke the contract.
        AudioError, ModelError, UnavailableError: As the provider raised them.
    """
    engine = EngineEvents(emit)
    config = SessionConfig(model=model, chunk_seconds=settings.chunk_seconds, observer=engine)
    timeouts = settings.timeouts
    await start_session(provider, session_id, config)
    origin_s = now_s()
    engine.begin(origin_s)
    listeners = [
        Listener(provider, each.source, each.start_s, origin_s, settings.queue_s, emit,
                 each.rate_hz, tap)
        for each in inputs
    ]  # fmt: skip
    running = RunningSession(
        origin_s,
        [Chunker(settings.chunk_seconds) for _ in inputs],
        [each.queue for each in listeners],
        [PreFilter(make_detector(settings.vad)) for _ in inputs] if settings.vad else [],
    )
    shared = settings.meters
    try:
        with contextlib.nullcontext(shared) if shared else contextlib.closing(Meters()) as meters:
            watch = Watchdog(
                provider, running.queues, origin_s, emit, timeouts.answer_s, on_stalled, meters
            )
            await _stream_all(inputs, listeners, running, emit, watch, side_tasks)
    except BaseException:
        with contextlib.suppress(EchobenchError):  # the first error explains more
            await _stop(provider, session_id, timeouts.stop_s)
        raise
    finally:
        engine.end()
    stop_from_s = now_s()
    await _stop(provider, session_id, timeouts.stop_s)
    emit(SessionEnded(at_s=stop_from_s - origin_s, stop_s=now_s() - stop_from_s))


async def start_session(
    provider: ASRProvider, session_id: str, config: SessionConfig, where: str | None = None
) -> None:
    """Start a provider's session; errors name `where`, by default the provider.

    Raises:
        ProviderError: The provider failed or refused.
        ModelError, UnavailableError: As the provider raised them.
    """
    where = where or provider.name
    with provider_errors(where):
        if not await provider.start_session(session_id, config):
            raise ProviderError(where, "refused a session while none was running")


async def _stop(provider: ASRProvider, session_id: str, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            with provider_errors(provider.name):
                await provider.stop_session(session_id)
    except TimeoutError as error:
        problem = f"stop_session had not returned after {limit_s:g} s"
        raise StalledError(provider.name, problem) from error


async def _stream_all(
    inputs: Sequence[Input],
    listeners: Sequence[Listener],
    running: RunningSession,
    emit: Emit,
    watch: Watchdog,
    side_tasks: Sequence[SideTask],
) -> None:
    prefilters: Sequence[PreFilter | None] = running.prefilters or [None] * len(inputs)
    try:
        async with asyncio.TaskGroup() as group:
            for each, chunker, queue, prefilter in zip(
                inputs, running.chunkers, running.queues, prefilters, strict=True
            ):
                feed = Feed(each.source, chunker, queue, prefilter, emit, running.origin_s)
                group.create_task(each.play(feed, running.origin_s))
            watching = [group.create_task(watch.run())]
            watching += [group.create_task(start(running)) for start in side_tasks]
            await asyncio.wait([group.create_task(each.listen()) for each in listeners])
            for task in watching:
                task.cancel()
        await watch.sample(last=True)  # no audio may be pending by now
    except* EchobenchError as errors:
        raise errors.exceptions[0] from None

"""Sessions in this process, without a worker: what tests of the clock and of queues share."""

from collections.abc import AsyncIterator, Callable

import numpy as np

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.journal.events import Event
from harness.provider.resident import Session
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.session.session import run_session
from harness.specs.scenario import SourceScript
from harness.timeline.timeline import Track
from tests.stand_ins.null import Null
from tests.trials import scenario_of, spec_of


class Working(Null):
    """Calls a function on its thread for each chunk."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    async def heard(
        self, session: Session, source: AudioSource | None, chunk: int
    ) -> AsyncIterator[ASRSegment]:
        await self.infer(session, source, 1.0, self._work)
        async for segment in super().heard(session, source, chunk):
            yield segment


def silent_track(
    audio_s: float, source: AudioSource = AudioSource.MIC, start_s: float = 0.0
) -> Track:
    return Track(source, start_s, np.zeros(round(audio_s * SAMPLE_RATE_HZ), np.int16), ())


def play_to(
    provider: Null,
    *tracks: Track,
    chunk_seconds: float,
    kind: ClockKind = ClockKind.VIRTUAL,
    queue_s: float = 10.0,
    timeouts: Timeouts = DEFAULT,
) -> list[Event]:
    """Play tracks to a provider in one session, and return what happened."""
    scripts = [SourceScript(name=track.source, start_s=track.start_s, gap_s=(0, 0))
               for track in tracks]  # fmt: skip
    spec = spec_of(
        provider.name,
        "none",
        clock=kind,
        chunk_seconds=chunk_seconds,
        scenario=scenario_of(60.0, *scripts, queue_s=queue_s),
    )
    events: list[Event] = []

    async def session() -> None:
        await provider.start_session("warm", SessionConfig(model=spec.model))
        await provider.stop_session("warm")
        await run_session(provider, spec, tracks, events.append, timeouts)
        await provider.close()

    clock.run(session(), kind)
    return events

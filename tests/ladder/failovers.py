"""Failovers between providers of numbers, played on the virtual clock, and what must hold after."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from harness import clock
from harness.clock import ClockKind
from harness.contract import ASRProvider, ASRSegment, AudioSource
from harness.journal.events import Event, Sampled, SegmentArrived
from harness.ladder.failover import FailoverProvider, Member
from harness.metrics import TrialLog
from harness.metrics.integrity import missing_samples, out_of_order_segments
from harness.session.session import run_session
from harness.timeline.timeline import Track
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

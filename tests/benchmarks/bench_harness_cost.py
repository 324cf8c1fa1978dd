"""What the harness itself costs, with a provider that does nothing, on the wall clock.

Limits: 5 ms for a chunk (p99), from its last sample to the provider's return; 2 % of a core.
"""

import time
from collections.abc import AsyncIterator

from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.journal.events import ChunkDone, Event, Queued
from harness.provider.registry import find_corpus
from harness.provider.resident import ResidentProvider
from harness.session.session import run_session
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import TrialSpec
from harness.statistics import percentile
from harness.timeline.timeline import build_timeline

CHUNK_S = 0.1
AUDIO_S = 40.0
P99_LIMIT_S = 0.005
CORE_LIMIT = 0.02


class Null(ResidentProvider):
    """Takes chunks and accounts for them."""

    name = "null"

    def load(self, config: SessionConfig) -> None:
        pass

    def unload(self) -> None:
        pass

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        session = self.open_stream(source, sample_rate)
        account = session.audio[source]
        async for pcm in pcm_stream:
            account.received += len(pcm) // 2
            account.skipped += len(pcm) // 2
        silence: tuple[ASRSegment, ...] = ()
        for segment in silence:
            yield segment

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        return []


def bench_harness_cost(benchmark: BenchmarkFixture) -> None:
    source = SourceScript(name=AudioSource.MIC, gap_s=(0.2, 0.8))
    scenario = Scenario(title="null", name="null", duration_s=AUDIO_S, sources=(source,))
    spec = TrialSpec(
        provider="null",
        model="none",
        chunk_seconds=CHUNK_S,
        scenario=scenario,
        corpus="embedded",
        clock=ClockKind.WALL,
    )
    tracks = build_timeline(scenario, find_corpus("embedded"), seed=1)
    events: list[Event] = []
    cpu_s = []

    def trial() -> None:
        before_s = time.process_time()
        clock.run(run_session(Null(), spec, tracks, events.append), spec.clock)
        cpu_s.append(time.process_time() - before_s)

    benchmark.pedantic(trial, rounds=1)  # type: ignore[no-untyped-call]
    due_s = {event.chunk: event.due_s for event in events if isinstance(event, Queued)}
    costs_s = [event.at_s - due_s[event.chunk] for event in events if isinstance(event, ChunkDone)]
    p99_s, share = percentile(costs_s, 0.99), cpu_s[0] / AUDIO_S
    benchmark.extra_info |= {"p99_ms": round(p99_s * 1000, 3), "core_share": round(share, 4)}
    print(f"\nharness: p99 {p99_s * 1000:.2f} ms a chunk ({len(costs_s)} chunks of {CHUNK_S} s), "
          f"{share:.1%} of a core")  # fmt: skip
    assert p99_s <= P99_LIMIT_S
    assert share <= CORE_LIMIT

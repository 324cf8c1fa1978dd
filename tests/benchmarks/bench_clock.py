"""Whether the virtual clock tells the truth: the same minute of speech on both, in turn.

Limits: the same events in the same order, and medians of latency within 10 ms + 5 %.
"""

import statistics

import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.clock import ClockKind
from harness.journal.events import ChunkTaken, Dropped, Event, Queued, SegmentArrived
from harness.metrics import TrialLog
from harness.metrics.latency import word_emission_latency
from harness.provider.registry import find_corpus, provider_class
from harness.session.session import run_session
from harness.specs.scenario import find_scenario
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import build_timeline

AUDIO_S = 60.0
SLACK_S, SLACK_SHARE = 0.010, 0.05


@pytest.mark.parametrize("name", ["whisper_cpp", "faster_whisper"])
def bench_virtual_against_wall(benchmark: BenchmarkFixture, name: str) -> None:
    scenario = msgspec.structs.replace(find_scenario("A"), duration_s=AUDIO_S)
    provider = provider_class(name)()
    tracks = build_timeline(scenario, find_corpus("embedded"), seed=1)

    def trial(kind: ClockKind) -> TrialLog:
        spec = TrialSpec(
            provider=name,
            model="embedded",
            chunk_seconds=2.0,
            scenario=scenario,
            corpus="embedded",
            clock=kind,
        )
        events: list[Event] = [utterance for track in tracks for utterance in track.truth]
        clock.run(run_session(provider, spec, tracks, events.append), kind)
        return TrialLog(spec, events)

    logs: dict[ClockKind, list[TrialLog]] = {kind: [] for kind in ClockKind}

    def both() -> None:
        for kind in ClockKind:
            logs[kind].append(trial(kind))

    trial(ClockKind.VIRTUAL)  # warm
    benchmark.pedantic(both, rounds=2)  # type: ignore[no-untyped-call]
    order = {kind: [steps(log) for log in logs[kind]] for kind in ClockKind}
    median_s = {kind: statistics.median(median_latency_s(log) for log in logs[kind])
                for kind in ClockKind}  # fmt: skip
    wall_s, virtual_s = median_s[ClockKind.WALL], median_s[ClockKind.VIRTUAL]
    print(
        f"\n{name}: median word latency {wall_s:.4f} s on the wall clock, {virtual_s:.4f} s virtual"
    )
    benchmark.extra_info |= {"wall_s": round(wall_s, 4), "virtual_s": round(virtual_s, 4)}
    assert order[ClockKind.VIRTUAL] == order[ClockKind.WALL]
    assert abs(virtual_s - wall_s) <= SLACK_S + SLACK_SHARE * wall_s


def median_latency_s(log: TrialLog) -> float:
    """Of the words that were shown."""
    samples = word_emission_latency(log).samples
    assert samples
    return statistics.median(samples)


def steps(log: TrialLog) -> dict[str, list[object]]:
    """What happened, in order, without when."""
    return {
        "queued": [event.chunk for event in log.of(Queued)],
        "begun": [event.chunk for event in log.of(ChunkTaken)],
        "dropped": [event.chunk for event in log.of(Dropped)],
        "said": [
            (event.segment.segment_id, event.segment.text) for event in log.of(SegmentArrived)
        ],
    }

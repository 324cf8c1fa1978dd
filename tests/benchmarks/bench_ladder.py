"""How long captions pause when another provider takes over in the middle of a sentence.

Limit: 1 s from the change to the first text of the one that takes over, both being loaded. The
providers are real, each in a process of its own, on the wall clock.
"""

import asyncio

import msgspec
from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.clock import ClockKind, now_s
from harness.journal.events import Event, SegmentArrived
from harness.ladder.failover import FailoverProvider, Member
from harness.metrics import TrialLog
from harness.metrics.accuracy import wer
from harness.metrics.integrity import out_of_order_segments, unaccounted_samples
from harness.processes.isolated.provider import OutOfProcessProvider
from harness.provider.registry import find_corpus, make_provider
from harness.session.session import run_session
from harness.specs.scenario import find_scenario
from harness.specs.trial import TrialSpec
from harness.statistics import percentile
from harness.timeline.timeline import build_timeline

AUDIO_S, EVERY_S = 45.0, 4.3
LIMIT_S = 1.0


def bench_switch(benchmark: BenchmarkFixture) -> None:
    scenario = msgspec.structs.replace(find_scenario("A"), duration_s=AUDIO_S)
    tracks = build_timeline(scenario, find_corpus("embedded"), seed=1)
    spec = TrialSpec(
        provider="whisper_cpp", model="embedded", chunk_seconds=1.0, scenario=scenario,
        corpus="embedded", clock=ClockKind.WALL,
    )  # fmt: skip

    def member(name: str) -> Member:
        return Member(OutOfProcessProvider(make_provider(name, {}), {}), "embedded")

    async def session() -> tuple[list[float], TrialLog]:
        failover = FailoverProvider([member("whisper_cpp"), member("whisper_cpp")])
        events: list[Event] = [*tracks[0].truth]
        changed_s: list[float] = []

        async def change() -> None:
            await asyncio.sleep(EVERY_S)
            for turn in range(1, round(AUDIO_S / EVERY_S)):
                changed_s.append(now_s())
                await failover.switch_to(failover.members[turn % 2])
                await asyncio.sleep(EVERY_S)

        def note(event: Event) -> None:
            events.append(event)
            if isinstance(event, SegmentArrived):
                said_s.append(now_s())

        said_s: list[float] = []
        changing = asyncio.create_task(change())
        await run_session(failover, spec, tracks, note)
        changing.cancel()
        await failover.close()
        pauses_s = [min(at_s for at_s in said_s if at_s >= change_s) - change_s
                    for change_s in changed_s if change_s <= said_s[-1]]  # fmt: skip
        return pauses_s, TrialLog(spec, events)

    results: list[tuple[list[float], TrialLog]] = []
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: results.append(clock.run(session(), ClockKind.WALL)), rounds=1
    )
    pauses_s, log = results[0]
    errors = wer(log).value
    print(f"\n{len(pauses_s)} changes: text again after {percentile(pauses_s, 0.5):.2f} s (p50), "
          f"{max(pauses_s):.2f} s (worst); word errors {errors:.1%}")  # fmt: skip
    benchmark.extra_info["pauses_s"] = pauses_s
    assert max(pauses_s) < LIMIT_S
    assert out_of_order_segments(log).value == 0
    assert unaccounted_samples(log).value == 0

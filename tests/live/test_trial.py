"""Trials over the wire: the same record as without one, later by what the way takes."""

from pathlib import Path

import msgspec
import pytest

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import Option
from harness.errors import UsageError
from harness.journal.events import (
    BeepFound,
    ChunkDone,
    ChunkTaken,
    ClientMetrics,
    Inferred,
    Queued,
    Sampled,
    SegmentArrived,
    SessionEnded,
    Skipped,
    SourceEnded,
    Surroundings,
)
from harness.journal.journal import TrialRecord
from harness.metrics import TrialLog, measure
from harness.provider.choice import choose_providers
from harness.provider.timeouts import Timeouts
from harness.runner.plan import plan
from harness.specs.options import Options
from harness.specs.scenario import SourceScript
from harness.specs.trial import Activity, Transport, TrialSpec, TrialStatus
from harness.statistics import percentile
from tests.live.rig import MIC, SYSTEM
from tests.trials import run_of, scenario_of, spec_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stand_ins")]
TIMEOUTS = Timeouts(load_s=60.0, silence_s=30.0, answer_s=1.5, stop_s=1.0)


def spec_over_wire(
    corpus: Path, provider: str = "oracle", settings: dict[str, Option] | None = None,
    *, seconds: float = 4.0, transport: Transport = Transport.WS,
) -> TrialSpec:  # fmt: skip
    scripts = (
        SourceScript(name=MIC, gap_s=(0.1, 0.3)),
        SourceScript(name=SYSTEM, gap_s=(0.1, 0.3), start_s=0.35),
    )
    spec = spec_of(
        provider, corpus, settings, clock=ClockKind.WALL, chunk_seconds=0.5,
        scenario=msgspec.structs.replace(scenario_of(seconds, *scripts), markers=True),
    )  # fmt: skip
    return msgspec.structs.replace(spec, transport=transport)


@pytest.fixture(scope="module")
def both(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[TrialRecord]:
    """The same trial without a wire and over one."""
    journal = tmp_path_factory.mktemp("wire") / "journal.jsonl"
    specs = [spec_over_wire(small_corpus, settings={"transcript": "hello there", "infer_s": 0.02},
                            transport=transport) for transport in Transport]  # fmt: skip
    return run_of(specs, journal)


def log_of(record: TrialRecord) -> TrialLog:
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK, record.ended.reason
    return TrialLog(record.started.spec, record.events)


def test_the_record_is_as_complete_as_without_a_wire(both: list[TrialRecord]) -> None:
    direct, wired = map(log_of, both)
    for kind in (Queued, ChunkTaken, ChunkDone, Inferred, SegmentArrived, SessionEnded):
        assert len(wired.of(kind)) == len(direct.of(kind)), kind
    assert wired.of(Sampled)
    assert wired.of(Surroundings)
    assert [(e.source, e.chunk, e.samples) for e in wired.of(Queued) if e.source is SYSTEM] == [
        (e.source, e.chunk, e.samples) for e in direct.of(Queued) if e.source is SYSTEM
    ]
    assert [e.segment for e in wired.of(SegmentArrived)] == [
        e.segment for e in direct.of(SegmentArrived)
    ]
    figures = measure(wired)
    assert figures["unaccounted_samples"].value == 0
    assert figures["out_of_order_segments"].value == 0
    beeps = {(beep.source, beep.sample) for beep in wired.of(BeepFound)}
    assert beeps == {(beep.source, beep.sample) for beep in direct.of(BeepFound)}
    assert beeps
    assert all(sample is not None for _, sample in beeps)


def test_audio_is_due_when_it_was_captured_and_not_when_it_came_in(
    both: list[TrialRecord],
) -> None:
    direct, wired = map(log_of, both)
    due_s = {(e.source, e.chunk): e.due_s for e in direct.of(Queued)}
    for queued in wired.of(Queued):
        assert queued.due_s == pytest.approx(due_s[queued.source, queued.chunk])
        assert queued.at_s >= queued.due_s
    late_s = [queued.at_s - queued.due_s for queued in wired.of(Queued)]
    assert percentile(late_s, 0.5) < 0.05  # all clocks agree


def test_events_are_in_one_time(both: list[TrialRecord]) -> None:
    wired = log_of(both[1])
    queued_s = {(e.source, e.chunk): e.at_s for e in wired.of(Queued)}
    for begun in wired.of(ChunkTaken):
        assert begun.at_s >= queued_s[begun.source, begun.chunk]
    for span in wired.of(Inferred):
        assert 0 <= span.begin_s < span.end_s < 10
    assert wired.of(SegmentArrived)[-1].at_s > wired.of(Inferred)[-1].end_s
    assert wired.of(SessionEnded)[-1].at_s > wired.of(Queued)[-1].at_s


def test_health_over_the_wire_is_what_was_measured(both: list[TrialRecord]) -> None:
    direct, wired = both
    reports = [event for event in wired.events if isinstance(event, ClientMetrics)]
    assert len(reports) >= 4
    assert reports[-1].health.audio["mic"].received == 64_000
    assert "nothing was reported" in (measure(log_of(direct))["wire_health_error"].absent or "")


def test_silence_is_filtered_out_behind_a_wire_too(tmp_path: Path) -> None:
    scenario = scenario_of(5.0, SourceScript(name=MIC, gap_s=(1.5, 2.0)))
    spec = spec_of("whisper_cpp", "embedded", clock=ClockKind.WALL, scenario=scenario)
    spec = msgspec.structs.replace(spec, transport=Transport.WS, vad="silero")
    (record,) = run_of([spec], tmp_path / "journal.jsonl")
    log = log_of(record)
    (played,) = log.of(SourceEnded)
    assert played.samples == 5 * SAMPLE_RATE_HZ
    figures = measure(log)
    assert figures["unaccounted_samples"].value == 0
    assert figures["wer"].value == 0
    assert log.of(Skipped)


@pytest.mark.parametrize(
    ("provider", "settings", "status", "reason"),
    [
        ("raises", {"chunk": 2}, TrialStatus.PROVIDER_ERROR, "RuntimeError: the tensor has"),
        ("raises", {"at": "stop"}, TrialStatus.PROVIDER_ERROR, "RuntimeError: the tensor has"),
        ("dies", {"chunk": 2}, TrialStatus.PROVIDER_CRASH, "SIGSEGV"),
        ("hangs", {"chunk": 2}, TrialStatus.TIMEOUT, "nothing moved for 1.5 s"),
        ("babbles", {"what": "nan_time"}, TrialStatus.BAD_OUTPUT, "finite times"),
    ],
)
def test_a_fault_has_the_status_that_it_has_without_a_wire(
    provider: str, settings: dict[str, Option], status: TrialStatus, reason: str,
    small_corpus: Path, tmp_path: Path,
) -> None:  # fmt: skip
    spec = spec_over_wire(small_corpus, provider, settings)
    (record,) = run_of([spec], tmp_path / "journal.jsonl", TIMEOUTS)
    assert record.ended is not None
    assert (record.ended.status, reason in record.ended.reason) == (status, True), record.ended


def test_the_transport_is_part_of_a_trial_and_needs_the_walls_clock() -> None:
    choices, _ = choose_providers(("whisper_cpp",))
    wired = plan(Options(transport=Transport.WS), choices)
    played = [spec for spec in wired if spec.activity is Activity.SCENARIO]
    assert {spec.clock for spec in played} == {ClockKind.WALL}
    assert played[0].name.endswith("-ws")
    (direct, *_) = plan(Options(), choices)
    assert direct.key != played[0].key
    assert not direct.name.endswith("-ws")
    rules = [spec for spec in wired if spec.activity is not Activity.SCENARIO]
    assert {spec.transport for spec in rules} == {Transport.IN_PROCESS}
    assert {spec.clock for spec in rules} == {ClockKind.VIRTUAL}
    with pytest.raises(UsageError, match=r"--clock virtual: sockets take real time"):
        plan(Options(transport=Transport.WS, clock=ClockKind.VIRTUAL), choices)

"""Every fault of a provider ends in its one status, in bounded time, and costs no other trial."""

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from harness.contract import ASRSegment
from harness.journal.events import RuleChecked, SegmentArrived
from harness.journal.journal import TrialRecord
from harness.provider.timeouts import Timeouts
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import evaluate
from harness.verdicts.thresholds import FILE, read_thresholds
from harness.verdicts.verdict import VerdictLevel
from tests.faults.faults import FAULTS, HANGS, HANGS_AT_LOAD, Fault
from tests.faults.processes import MARK, alive, is_running
from tests.trials import run_of, spec_of

pytestmark = pytest.mark.slow

PATIENT = Timeouts(load_s=60, silence_s=60, answer_s=30, stop_s=30)
IMPATIENT = Timeouts(load_s=60, silence_s=4, answer_s=1.5, stop_s=1)
AT_LOAD = Timeouts(load_s=6)
MAX_S = 30.0
ALL = [*FAULTS, *HANGS, *HANGS_AT_LOAD]
HEALTHY = ("null", "oracle")  # by name they stand between the faulty ones, where runs put them


@dataclass(frozen=True)
class Outcomes:
    """How all faults ended, the sound trials between them, and which processes are left."""

    of: dict[str, TrialRecord]
    sound: list[TrialRecord]
    left: list[psutil.Process]
    pid_files: list[Path]


@pytest.fixture(scope="module")
def outcomes(
    stand_ins: None, small_corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcomes]:
    """Measure all faults, with sound trials among them, in a few runs at once."""
    folder = tmp_path_factory.mktemp("faults")
    mark = uuid.uuid4().hex
    groups: list[tuple[Timeouts, list[Fault]]] = [
        *((PATIENT, FAULTS[number::2]) for number in range(2)),
        *((IMPATIENT, HANGS[number::4]) for number in range(4)),  # they do nothing but wait
        (AT_LOAD, HANGS_AT_LOAD),
    ]

    def run(number: int) -> list[TrialRecord]:
        timeouts, faults = groups[number]
        specs = [spec_for(fault, small_corpus, folder) for fault in faults]
        if timeouts is not AT_LOAD:
            specs += [spec_of(name, small_corpus) for name in HEALTHY]
        return run_of(specs, folder / f"{number}.jsonl", timeouts)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(groups)) as threads:
        patch.setenv(MARK, mark)
        by_key = {r.started.key: r for records in threads.map(run, range(len(groups)))
                  for r in records}  # fmt: skip
        of = {fault.name: by_key.pop(spec_for(fault, small_corpus, folder).key) for fault in ALL}
        yield Outcomes(of, list(by_key.values()), alive(mark), list(folder.glob("*.pid")))


def spec_for(fault: Fault, corpus: Path, folder: Path) -> TrialSpec:
    settings = dict(fault.settings)
    if fault.provider == "leaves_children":
        settings["pid_file"] = str(folder / f"{fault.name.replace(':', '-')}.pid")
    return spec_of(fault.provider, corpus, settings, clock=fault.clock, activity=fault.activity)


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_fault_ends_in_its_status_and_says_why(fault: Fault, outcomes: Outcomes) -> None:
    ended = outcomes.of[fault.name].ended
    assert ended is not None
    assert ended.status is fault.status, ended.reason
    for words in fault.says:
        assert words in ended.reason
    assert bool(ended.reason) == (fault.status is not TrialStatus.OK)
    assert len(ended.reason) < 11_000
    assert ended.wall_s < MAX_S


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_broken_trial_has_no_figures(fault: Fault, outcomes: Outcomes) -> None:
    (result,) = evaluate([outcomes.of[fault.name]], read_thresholds(FILE)).values()
    has_figures = fault.status is TrialStatus.OK and fault.activity is Activity.SCENARIO
    assert bool(result.measurements) == has_figures
    if fault.status is not TrialStatus.OK and fault.activity is Activity.SCENARIO:
        assert all(verdict.value is None for verdict in result.verdicts.values())
        assert {verdict.level for verdict in result.verdicts.values()} == {VerdictLevel.FAIL}


def test_broken_rules_say_why_at_a_length_that_someone_reads(outcomes: Outcomes) -> None:
    tried = [event for record in outcomes.of.values() for event in record.events
             if isinstance(event, RuleChecked)]  # fmt: skip
    broken = [check.detail for check in tried if not check.passed]
    assert len(broken) > 20
    assert all(0 < len(detail) < 11_000 for detail in broken)
    assert any("raises.py, line" in detail for detail in broken)


def test_the_other_trials_are_complete(outcomes: Outcomes) -> None:
    assert sorted({record.started.spec.provider for record in outcomes.sound}) == sorted(HEALTHY)
    for record in outcomes.sound:
        assert record.ended is not None
        assert record.ended.status is TrialStatus.OK, record.ended.reason


def test_no_process_is_left(outcomes: Outcomes) -> None:
    assert len(outcomes.pid_files) == 4  # they were there, children that ignore SIGTERM
    assert outcomes.left == []
    assert [pid for file in outcomes.pid_files if is_running(pid := int(file.read_text()))] == []
    assert [child for child in psutil.Process(os.getpid()).children()
            if child.status() == psutil.STATUS_ZOMBIE] == []  # fmt: skip


def test_what_is_said_is_kept_as_it_was_said(outcomes: Outcomes) -> None:
    record = outcomes.of["babbles:what=controls:at=stream:virtual:scenario"]
    (segment,) = [event.segment for event in record.events if isinstance(event, SegmentArrived)]
    assert isinstance(segment, ASRSegment)
    assert segment.text == "\x1b[2J\x00\r\n\u202eolleh\x07"
    assert sanitize(segment.text) == "\\x1b[2J\\x00\\r\\n\\u202eolleh\\x07"

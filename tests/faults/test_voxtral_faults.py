"""Every fault of the program of `voxtral_realtime` ends in its one status, and leaves nothing."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from harness.clock import ClockKind
from harness.contract import Option
from harness.journal.events import SegmentArrived
from harness.journal.journal import TrialRecord
from harness.provider.timeouts import Timeouts
from harness.specs.trial import TrialSpec, TrialStatus
from harness.verdicts.evaluate import evaluate
from harness.verdicts.thresholds import FILE, read_thresholds
from harness.verdicts.verdict import VerdictLevel
from tests.faults.processes import MARK, alive, is_running
from tests.stand_ins.voxtral_model import executable, write_model
from tests.trials import run_of, scenario_of, spec_of

pytestmark = pytest.mark.slow

PATIENT = Timeouts(load_s=60, silence_s=60, answer_s=30, stop_s=30)
MAX_S = 30.0
DURATION_S = 4.0
IN_TRIAL_S = 7.0
"""Audio that the program has read, silence and first utterance too, in the middle of the trial."""
RUNS = 4
OK, ERROR, TIMEOUT = TrialStatus.OK, TrialStatus.PROVIDER_ERROR, TrialStatus.TIMEOUT
BAD_INPUT, BAD_OUTPUT = TrialStatus.BAD_INPUT, TrialStatus.BAD_OUTPUT


def nothing(folder: Path) -> None:
    """Spoil nothing."""


@dataclass(frozen=True)
class Fault:
    """What the program does, or what is wrong with its model, and what the reason must say."""

    name: str
    status: TrialStatus
    says: tuple[str, ...] = ()
    behaviour: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Option] = field(default_factory=dict)
    spoil: Callable[[Path], object] = nothing


def program(mode: str, status: TrialStatus, *says: str, after_s: float = IN_TRIAL_S) -> Fault:
    name = mode if after_s else f"{mode}-at-once"
    return Fault(name, status, says, {"mode": mode, "after_s": after_s})


def cut_short(folder: Path) -> None:
    weights = folder / "consolidated.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


FAULTS = [
    Fault("loads-slowly", OK, (), {"load_s": 2.0}),
    Fault("never_ready", TIMEOUT, ("had not loaded its model after 2 s",),
          {"mode": "never_ready"}, {"load_s": 2.0}),
    program("crashes", ERROR, "was killed by SIGSEGV"),
    program("crashes", ERROR, "was killed by SIGSEGV", after_s=0.0),
    program("exits", ERROR, "exited with 0"),
    program("deaf", TIMEOUT, "made no progress for 2 s while it had audio"),
    program("mute", TIMEOUT, "made no progress for 2 s while it had audio"),
    program("floods", OK),
    program("garbage", BAD_OUTPUT, "bytes that are no UTF-8", "allowed: text"),
    program("babbles", BAD_OUTPUT, "characters for one utterance", "at most 100000"),
    program("closes_stdout", ERROR, "closed its output but kept running"),
    program("stubborn", OK),
    program("no_tokenizer", BAD_INPUT, "tekken.json can't be opened", "download_model.sh"),
    Fault("bad_tensor", BAD_INPUT, ("has no layers.3.attention.wq.weight", "download_model.sh"),
          {"load_error": "decoder: weight not found: layers.3.attention.wq.weight\n"
                         "vox_load: failed to load decoder\nFailed to load model from x"}),
    Fault("cut_short", BAD_INPUT, ("consolidated.safetensors", "bytes", "download_model.sh"),
          spoil=cut_short),
    Fault("no_model", BAD_INPUT, ("is missing",), spoil=shutil.rmtree),
    Fault("no_program", TrialStatus.UNSUPPORTED, ("lacks the program", "voxtral.c"),
          options={"binary": "/nowhere/voxtral"}),
    Fault("no_executable", TrialStatus.UNSUPPORTED, ("can't run", "Exec format"),
          options={"binary": "damaged"}),
]  # fmt: skip


@dataclass(frozen=True)
class Outcomes:
    """How all ended, and which processes are left."""

    of: dict[str, TrialRecord]
    left: list[psutil.Process]
    stubborn: list[int]


@pytest.fixture(scope="module")
def outcomes(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """Measure all of them, in a few runs at once, since they do little but wait."""
    folder = tmp_path_factory.mktemp("voxtral")
    binary = executable(folder)
    damaged = folder / "damaged"
    damaged.write_bytes(b"\x7fELF")
    damaged.chmod(0o755)
    specs = {fault.name: spec_for(fault, small_corpus, folder, binary) for fault in FAULTS}
    shares = [list(specs.values())[number::RUNS] for number in range(RUNS)]

    def run(number: int) -> list[TrialRecord]:
        return run_of(shares[number], folder / f"{number}.jsonl", PATIENT)

    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(RUNS) as threads:
        patch.setenv(MARK, mark)
        by_key = {r.started.key: r for records in threads.map(run, range(RUNS)) for r in records}
        of = {name: by_key[spec.key] for name, spec in specs.items()}
        pids = [int(pid) for pid in (folder / "pids").read_text().split()]
        yield Outcomes(of, alive(mark), pids)


def spec_for(fault: Fault, corpus: Path, folder: Path, binary: Path) -> TrialSpec:
    pid_file = folder / "pids" if fault.name == "stubborn" else None
    model = write_model(folder / fault.name, pid_file=pid_file, **fault.behaviour)
    fault.spoil(model)
    options: dict[str, Option] = {"binary": str(binary), "answer_s": 2.0, **fault.options}
    if options["binary"] == "damaged":
        options["binary"] = str(folder / "damaged")
    options["folder"] = str(model)
    return spec_of(
        "voxtral_realtime", corpus, options, clock=ClockKind.WALL, model=str(model),
        scenario=scenario_of(DURATION_S),
    )  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_ends_in_its_status_and_says_why(fault: Fault, outcomes: Outcomes) -> None:
    ended = outcomes.of[fault.name].ended
    assert ended is not None
    assert ended.status is fault.status, ended.reason
    for words in fault.says:
        assert words in ended.reason
    assert bool(ended.reason) == (fault.status is not OK)
    assert ended.wall_s < MAX_S


@pytest.mark.parametrize("mode", ["crashes", "exits", "deaf", "garbage", "closes_stdout"])
def test_what_was_said_before_is_kept(mode: str, outcomes: Outcomes) -> None:
    said = [
        event.segment for event in outcomes.of[mode].events if isinstance(event, SegmentArrived)
    ]
    assert any(segment.text for segment in said)


def test_no_process_is_left(outcomes: Outcomes) -> None:
    assert len(outcomes.stubborn) == 2  # they were there, and ignore SIGTERM
    assert outcomes.left == []
    assert [pid for pid in outcomes.stubborn if is_running(pid)] == []


def test_it_is_held_to_limits_of_its_own(outcomes: Outcomes) -> None:
    """R-P1 and R-P2, which no other provider is held to."""
    record = outcomes.of["loads-slowly"]
    thresholds = read_thresholds(FILE)
    own = {name for name, threshold in thresholds.items() if threshold.providers}
    assert own == {"voxtral_speed", "voxtral_memory"}
    (result,) = evaluate([record], thresholds).values()
    assert all(result.verdicts[name].level is VerdictLevel.PASS for name in own)
    other = msgspec.structs.replace(record.started.spec, provider="null")
    started = msgspec.structs.replace(record.started, spec=other)
    (result,) = evaluate([replace(record, started=started)], thresholds).values()
    assert not own & result.verdicts.keys()

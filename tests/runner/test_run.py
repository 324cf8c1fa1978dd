"""Runs of trials in real workers: loaded once, in order, judged by what happened on the machine."""

import os
import signal
import time
from pathlib import Path

import pytest

from harness.clock import ClockKind
from harness.contract import AudioSource, Option
from harness.journal.events import (
    ChunkDone,
    ChunkTaken,
    Event,
    Loaded,
    MachineSeen,
    Queued,
    SegmentArrived,
    SessionEnded,
    TrialEnded,
    Utterance,
)
from harness.journal.journal import JournalWriter, TrialRecord, read_journal
from harness.provider.timeouts import Timeouts
from harness.runner.pool import WorkerPool
from harness.runner.run import measure_all
from harness.specs.trial import TrialStatus
from tests.trials import Observer, run_of, scenario_of, spec_of

pytestmark = pytest.mark.usefixtures("stand_ins")
WORDS = "as it was written"


@pytest.mark.slow
def test_a_trial_is_written_down_from_truth_to_end(small_corpus: Path, tmp_path: Path) -> None:
    spec = spec_of("oracle", small_corpus, {"transcript": WORDS})
    (record,) = run_of([spec], tmp_path / "journal.jsonl")
    assert record.started.spec == spec
    assert record.started.key == spec.key
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK
    assert record.ended.wall_s > 0
    kinds = [type(event) for event in record.events]
    assert kinds[:3] == [Loaded, MachineSeen, Utterance]
    assert kinds[-2:] == [SessionEnded, TrialEnded]
    assert [kind for kind in kinds if kind in (Queued, ChunkTaken, ChunkDone)] == [
        Queued, ChunkTaken, ChunkDone,
    ] * 6  # fmt: skip
    (said,) = (event.segment for event in record.events if isinstance(event, SegmentArrived))
    assert (said.text, said.source, said.t1) == (WORDS, AudioSource.MIC, 6.0)


@pytest.mark.slow
def test_the_first_utterance_is_part_of_loading(small_corpus: Path, tmp_path: Path) -> None:
    spec = spec_of("oracle", small_corpus, {"transcript": WORDS, "infer_s": 0.05})
    (record,) = run_of([spec], tmp_path / "journal.jsonl")
    loaded = record.events[0]
    assert isinstance(loaded, Loaded)
    assert loaded.probe_text == WORDS
    assert loaded.probe_s is not None
    assert loaded.probe_s >= 0.05
    assert loaded.spawn_s > 0.05  # no Python starts sooner
    assert loaded.load_s > 0
    assert len(loaded.probe_inference_s) == len(loaded.probe_window_s) == 1
    assert loaded.probe_window_s[0] == pytest.approx(0.75)  # three words of the first sentence


@pytest.mark.slow
def test_a_model_is_loaded_once_and_each_other_anew(small_corpus: Path, tmp_path: Path) -> None:
    """Also where trials of two models are asked for in turn."""
    pool, workers = WorkerPool(), dict[str, set[int | None]]()
    specs = [spec_of("null", small_corpus, model=model, chunk_seconds=chunk_s)
             for chunk_s in (1.0, 2.0, 3.0) for model in ("tiny", "base")]  # fmt: skip

    def at_event(event: Event) -> None:
        if isinstance(event, ChunkTaken):
            workers.setdefault(observer.began[-1].model, set()).add(pool.pid)

    observer = Observer(at_event)
    writer = JournalWriter(tmp_path / "journal.jsonl")
    measure_all(specs, pool, writer, observer)
    pool.close()
    writer.close()
    assert [(spec.model, spec.chunk_seconds) for spec in observer.began] == [
        (model, chunk_s) for model in ("base", "tiny") for chunk_s in (1.0, 2.0, 3.0)
    ]
    assert len(workers["tiny"]) == len(workers["base"]) == 1
    assert workers["tiny"] != workers["base"]
    loads = {record.started.spec.model: set[Loaded]() for record in records_of(tmp_path)}
    for record in records_of(tmp_path):
        loads[record.started.spec.model] |= {e for e in record.events if isinstance(e, Loaded)}
    assert [len(of_model) for of_model in loads.values()] == [1, 1]  # each trial repeats its own


def records_of(folder: Path) -> list[TrialRecord]:
    return read_journal(folder / "journal.jsonl")


@pytest.mark.slow
def test_other_settings_need_another_worker(small_corpus: Path, tmp_path: Path) -> None:
    specs = [spec_of("oracle", small_corpus, {"infer_s": infer_s}) for infer_s in (0.0, 0.01, 0.0)]
    records = run_of(specs, tmp_path / "journal.jsonl")
    loads = [record.events[0] for record in records]
    assert loads[0] != loads[1] != loads[2]


def test_a_child_of_the_provider_cannot_take_requests_away(
    small_corpus: Path, tmp_path: Path
) -> None:
    """It would, if it inherited the worker's standard input: every other request."""
    settings: dict[str, Option] = {"what": "reads_stdin", "at": "load"}
    specs = [spec_of("babbles", small_corpus, settings, chunk_seconds=chunk_s)
             for chunk_s in (1.0, 2.0, 3.0)]  # fmt: skip
    records = run_of(specs, tmp_path / "journal.jsonl", Timeouts(silence_s=10))
    assert [record.ended and record.ended.status for record in records] == [TrialStatus.OK] * 3


@pytest.mark.slow
@pytest.mark.usefixtures("late_is_void")
def test_a_machine_that_stood_still_voids_the_trial(small_corpus: Path, tmp_path: Path) -> None:
    """As sleep and wake do, or a virtual machine that is paused."""
    pool, paused = WorkerPool(), list[int]()

    def pause(event: Event) -> None:
        if (
            isinstance(event, ChunkTaken)
            and event.chunk == 5
            and not paused
            and pool.pid is not None
        ):
            paused.append(pool.pid)
            os.kill(pool.pid, signal.SIGSTOP)
            time.sleep(0.5)
            os.kill(pool.pid, signal.SIGCONT)

    writer = JournalWriter(tmp_path / "journal.jsonl")
    scenario = scenario_of(2.0)
    spec = spec_of("null", small_corpus, clock=ClockKind.WALL, chunk_seconds=0.1, scenario=scenario)
    measure_all([spec], pool, writer, Observer(pause))
    pool.close()
    writer.close()
    (record,) = records_of(tmp_path)
    assert record.ended is not None
    assert record.ended.status is TrialStatus.VOID
    assert "machine was too busy" in record.ended.reason

"""Workers that are killed or stopped from outside, in and between trials."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.journal.events import AnyEvent, ChunkTaken, Event
from harness.journal.journal import JournalWriter, TrialRecord, read_journal
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.runner.pool import WorkerPool
from harness.runner.requests import Infer
from harness.runner.run import measure_all
from harness.runner.supervisor import WorkerFailedError
from harness.specs.trial import TrialSpec, TrialStatus
from tests.trials import Observer, scenario_of, spec_of

pytestmark = pytest.mark.slow


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool()
    yield pool
    pool.close()


def measure(
    specs: list[TrialSpec], pool: WorkerPool, observer: Observer, journal: Path
) -> list[TrialRecord]:
    writer = JournalWriter(journal)
    measure_all(specs, pool, writer, observer)
    writer.close()
    return read_journal(journal)


def statuses(records: list[TrialRecord]) -> list[TrialStatus | None]:
    return [record.ended.status if record.ended else None for record in records]


def kill_at_chunk(pool: WorkerPool, chunk: int, number: int) -> Callable[[Event], None]:
    """Send the signal once, when the provider takes that chunk."""
    sent: list[int] = []

    def at_event(event: Event) -> None:
        if (
            isinstance(event, ChunkTaken)
            and event.chunk == chunk
            and not sent
            and pool.pid is not None
        ):
            sent.append(number)
            os.kill(pool.pid, number)

    return at_event


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_real_engine_is_killed_in_mid_trial(
    number: signal.Signals, pool: WorkerPool, tmp_path: Path
) -> None:
    scenario = scenario_of(40.0)
    specs = [spec_of("whisper_cpp", "embedded", chunk_seconds=chunk_s, scenario=scenario)
             for chunk_s in (1.0, 2.0)]  # fmt: skip
    observer = Observer(kill_at_chunk(pool, 3, number))
    killed, sound = measure(specs, pool, observer, tmp_path / "journal.jsonl")
    assert killed.ended is not None
    assert killed.ended.status is TrialStatus.PROVIDER_CRASH
    assert number.name in killed.ended.reason
    assert killed.ended.wall_s < 20
    assert sound.ended is not None
    assert sound.ended.status is TrialStatus.OK
    taken = [event.chunk for event in sound.events if isinstance(event, ChunkTaken)]
    assert taken == list(range(21))  # 1 s, 1 s, then 19 of 2 s


@pytest.mark.usefixtures("stand_ins")
def test_a_worker_dies_between_trials(pool: WorkerPool, small_corpus: Path, tmp_path: Path) -> None:
    class Killer(Observer):
        def trial_begins(self, spec: TrialSpec, number: int, of: int) -> None:
            if number == 2 and pool.pid is not None:
                os.kill(pool.pid, signal.SIGKILL)
                psutil.wait_procs([psutil.Process(pool.pid)], timeout=5)

    specs = [spec_of("null", small_corpus, chunk_seconds=chunk_s) for chunk_s in (1.0, 2.0, 3.0)]
    records = measure(specs, pool, Killer(), tmp_path / "journal.jsonl")
    assert statuses(records) == [TrialStatus.OK, TrialStatus.PROVIDER_CRASH, TrialStatus.OK]


@pytest.mark.usefixtures("stand_ins")
def test_a_crash_costs_the_next_benchmark_nothing(pool: WorkerPool, small_corpus: Path) -> None:
    """The per-chunk benchmark asks the pool by itself, without `measure_all` to mend it."""
    spec = spec_of("null", small_corpus)
    request = Infer(chunk_seconds=1.0)

    def ignore(line: bytes, event: AnyEvent) -> None:
        pass

    pool.make_resident(spec)
    pool.ask(request, ignore)
    assert pool.pid is not None
    os.kill(pool.pid, signal.SIGKILL)
    with pytest.raises(WorkerFailedError, match="SIGKILL"):
        pool.ask(request, ignore)
    assert pool.pid is None
    pool.make_resident(spec)
    pool.ask(request, ignore)


@pytest.mark.usefixtures("stand_ins")
def test_a_stopped_worker_times_out_and_goes(small_corpus: Path, tmp_path: Path) -> None:
    """A stopped process hears SIGTERM no more; only SIGKILL ends it."""
    pool = WorkerPool(Timeouts(load_s=DEFAULT.load_s, silence_s=1.5))
    pids: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, ChunkTaken) and event.chunk == 2 and not pids and pool.pid is not None:
            pids.append(pool.pid)
            os.kill(pool.pid, signal.SIGSTOP)

    begin_s = time.monotonic()
    specs = [spec_of("oracle", small_corpus, {"infer_s": 0.1}, chunk_seconds=chunk_s)
             for chunk_s in (1.0, 2.0)]  # fmt: skip
    records = measure(specs, pool, Observer(stop), tmp_path / "journal.jsonl")
    pool.close()
    assert statuses(records) == [TrialStatus.TIMEOUT, TrialStatus.OK]
    assert not psutil.pid_exists(pids[0])
    assert time.monotonic() - begin_s < 30

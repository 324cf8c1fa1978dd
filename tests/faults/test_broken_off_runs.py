"""Runs that end before they are done: Ctrl-C, kill -9, a full disk; and going on with them."""

import signal
import time
from pathlib import Path

import pytest

from harness.clock import ClockKind
from harness.provider.choice import choose_providers
from harness.runner.plan import plan
from harness.specs.options import Options
from harness.specs.trial import Activity, TrialStatus
from tests.faults.command_line import CommandLine
from tests.faults.processes import alive

pytestmark = pytest.mark.slow

CHUNKS_S = (0.5, 1.0, 2.0)
DURATION_S = 1.5
MAX_BYTES = 250_000
"""More than the journal of one trial of 150 s, and less than that of two."""


def command_line(
    runs: Path,
    corpus: Path,
    provider: str = "null",
    duration_s: float = DURATION_S,
    clock: str = "wall",
) -> CommandLine:
    chunks = ",".join(str(chunk_s) for chunk_s in CHUNKS_S)
    return CommandLine(
        runs,
        ["--provider", provider, "--corpus", str(corpus), "--duration", str(duration_s),
         "--chunk-seconds", chunks, "--clock", clock, "--scenario", "A"],
    )  # fmt: skip


def ended(bench: CommandLine) -> list[tuple[str, TrialStatus]]:
    """Keys and statuses of the trials that ended."""
    return [(record.started.key, record.ended.status) for record in bench.records()
            if record.ended is not None]  # fmt: skip


@pytest.mark.usefixtures("stand_ins")
def test_what_is_broken_off_is_resumed_to_the_whole(small_corpus: Path, tmp_path: Path) -> None:
    """Ctrl-C in the second trial, kill -9 in the second again, and then the rest."""
    options = Options(
        providers=("null",), scenarios=("speech_heavy",), corpus=str(small_corpus),
        duration_s=DURATION_S, chunk_seconds=CHUNKS_S, clock=ClockKind.WALL,
    )  # fmt: skip
    specs = plan(options, choose_providers(options.providers)[0])
    whole = [spec.key for spec in specs if spec.activity is Activity.SCENARIO]
    bench = command_line(tmp_path, small_corpus)

    bench.start()
    bench.read_until("[2/3]")
    time.sleep(0.4)
    bench.kill(signal.SIGINT)
    assert bench.finish() == 2, bench.output
    assert "KeyboardInterrupt" in bench.output
    assert "null 0.5s" in bench.output  # the finished trial is in the table
    assert alive(bench.mark) == []
    assert ended(bench) == [(whole[0], TrialStatus.OK)]

    bench.start("--resume", "latest")
    bench.read_until("[1/2]")
    time.sleep(0.4)
    bench.kill(signal.SIGKILL)
    assert bench.finish() == -signal.SIGKILL
    assert alive(bench.mark) == []
    assert ended(bench) == [(whole[0], TrialStatus.OK)]

    bench.start("--resume", "latest")
    assert bench.finish() in (0, 1), bench.output
    assert "[1/2]" in bench.output
    assert ended(bench) == [(key, TrialStatus.OK) for key in whole]
    assert alive(bench.mark) == []


def test_a_killed_run_takes_its_worker_and_daemons_along(
    small_corpus: Path, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    provider = f"leaves_children:pid_file={pid_file}:signal=0:new_session=true:chunk=0"
    bench = command_line(tmp_path / "runs", small_corpus, provider)
    bench.start()
    deadline_s = time.monotonic() + 30
    while not pid_file.exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert len(alive(bench.mark, within_s=0)) == 3  # pytest, the worker, and what that started
    bench.kill(signal.SIGKILL)
    assert bench.finish() == -signal.SIGKILL
    assert alive(bench.mark) == []


def test_a_full_disk_ends_the_run_and_keeps_what_was_measured(
    small_corpus: Path, tmp_path: Path
) -> None:
    bench = command_line(tmp_path, small_corpus, duration_s=150.0, clock="virtual")
    bench.start(most_bytes=MAX_BYTES)
    assert bench.finish() == 3, bench.output
    assert "journal.jsonl: can't be written (File too large)" in bench.output
    assert "Traceback" not in bench.output
    before = ended(bench)
    assert [status for _, status in before] == [TrialStatus.OK]

    bench.start("--resume", "latest")
    assert bench.finish() in (0, 1), bench.output
    assert ended(bench)[:1] == before
    assert [status for _, status in ended(bench)] == [TrialStatus.OK] * 3

"""The journal on a disk that is full or can't be written, and in a process that is killed."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from harness.contract import AudioSource
from harness.errors import JournalError
from harness.journal.events import ChunkDone, TrialEnded, TrialStarted, encode
from harness.journal.journal import JournalWriter, read_journal
from harness.specs.trial import TrialStatus
from tests.journal.killed_writers import KILLS
from tests.trials import spec_of

STARTED = TrialStarted(key="one", spec=spec_of("null", "nothing"))
EVENT = encode(ChunkDone(source=AudioSource.MIC, chunk=1, at_s=0.5))
ENDED = TrialEnded(status=TrialStatus.OK)


def write_trial(writer: JournalWriter, events: int) -> None:
    writer.begin(STARTED)
    for _ in range(events):
        writer.append(EVENT)
    writer.end(ENDED)


def write_until_full(writer: JournalWriter, events: int) -> tuple[int, str]:
    """Write trials; return how many were finished, and what stopped it."""
    for finished in count():
        try:
            write_trial(writer, events)
        except JournalError as error:
            return finished, str(error)
    raise AssertionError


@pytest.fixture
def most_bytes() -> Iterator[None]:
    """No file of this process can grow beyond 20 kB; Python ignores the signal that says so."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("fill", range(0, 400, 7))
def test_a_full_disk_is_an_error_and_costs_no_finished_trial(
    fill: int, tmp_path: Path, most_bytes: None
) -> None:
    """Wherever the room ends: in an event, in a last line, or in what is flushed with it."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"")
    writer = JournalWriter(path)
    finished, problem = write_until_full(writer, fill)
    assert "can't be written (File too large)" in problem
    with pytest.raises(JournalError):
        writer.sync()
    writer.close()
    ended = [record.ended is not None for record in read_journal(path)]
    assert ended[:finished] == [True] * finished
    assert sum(ended) == finished


@pytest.mark.usefixtures("most_bytes")
def test_with_room_again_the_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(path)
    write_trial(writer, events=100)
    with pytest.raises(JournalError):
        write_trial(writer, events=1000)
    writer.close()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    writer = JournalWriter(path)
    write_trial(writer, events=1000)
    writer.close()
    ended = [record.ended is not None for record in read_journal(path)]
    assert ended[0]
    assert ended[-1]
    assert len(read_journal(path)[-1].events) == 1001


def test_a_folder_that_is_missing_or_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        JournalWriter(tmp_path / "none" / "journal.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="Not a directory"):
        JournalWriter(tmp_path / "file" / "journal.jsonl")
    with pytest.raises(JournalError, match="directory"):
        JournalWriter(tmp_path)
    with pytest.raises(JournalError, match="directory"):
        read_journal(tmp_path)


def test_a_folder_without_rights_is_an_error(tmp_path: Path) -> None:
    """Rights don't bind root, so the journal is opened in a child that is somebody else."""
    tmp_path.chmod(0o555)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from harness.journal.journal import JournalWriter\n"
        "os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))\n"
        "JournalWriter(Path(sys.argv[1]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "journal.jsonl")],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    tmp_path.chmod(0o755)
    assert "JournalError" in result.stderr
    assert "Permission denied" in result.stderr


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_had_finished(tmp_path: Path) -> None:
    """Kills a writer again and again, each going on with the journal of the one before."""
    path = tmp_path / "journal.jsonl"
    result = subprocess.run(
        [sys.executable, "-m", "tests.journal.killed_writers", str(path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    confirmed = result.stdout.split()
    records = read_journal(path)
    whole = [record.started.key for record in records if record.ended is not None]
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    assert len(set(whole)) == len(whole)
    assert set(confirmed) <= set(whole)
    assert len(whole) - len(confirmed) <= KILLS  # killed between the disk's word and its passing on
    assert len(records) - len(whole) >= KILLS / 3  # those that died in the middle of a trial
    assert len(confirmed) > KILLS
    for record in records:
        if record.ended is not None:
            chunks = [event.chunk for event in record.events if isinstance(event, ChunkDone)]
            assert chunks == list(range(len(chunks)))
            assert record.events[-1] is record.ended

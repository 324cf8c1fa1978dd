"""A child process is always drained, never waited for without end, and never left over."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.errors import ProviderError, StalledError, UnavailableError
from harness.processes.child import ChildProcess
from tests.faults.processes import MARK, alive, is_running
from tests.providers.engines import ROOT

SOON_S = 10.0


class Heard:
    """What a child wrote, and how it ended."""

    def __init__(self) -> None:
        self.errors = self.output = b""
        self.ends: list[str] = []

    def take(self, errors: bytes, output: bytes) -> None:
        assert not self.ends
        self.errors += errors
        self.output += output

    def wait(self) -> str:
        deadline_s = time.monotonic() + SOON_S
        while not self.ends and time.monotonic() < deadline_s:
            time.sleep(0.01)
        (end,) = self.ends
        return end


@contextmanager
def python(script: str) -> Iterator[tuple[ChildProcess, Heard]]:
    heard = Heard()
    argv = [sys.executable, "-I", "-S", "-u", "-c", script]
    child = ChildProcess("engine", argv, heard.take, heard.ends.append)
    try:
        yield child, heard
    finally:
        child.end()


def wait_for_end(pid: int) -> bool:
    deadline_s = time.monotonic() + SOON_S
    while is_running(pid) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return not is_running(pid)


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("", "exited with 0"),
        ("raise SystemExit(7)", "exited with 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("import os, time; os.close(1); time.sleep(100)", "closed its output but kept running"),
    ],
)
def test_how_it_ended_is_told_once(script: str, how: str) -> None:
    with python(script) as (_, heard):
        assert heard.wait() == how
    assert heard.ends == [how]


def test_all_that_it_writes_is_read_also_a_flood_of_errors() -> None:
    script = """
import sys
for _ in range(100):
    sys.stderr.buffer.write(b"e" * 99_999 + b"\\n")
    sys.stdout.buffer.write(b"o" * 1000)
"""
    with python(script) as (child, heard):
        assert heard.wait() == "exited with 0"
        assert (len(heard.errors), len(heard.output)) == (10_000_000, 100_000)
        assert 1000 < len(child.errors()) < 100_000


@pytest.mark.parametrize("first", [1, 2])
def test_what_was_written_first_is_handed_over_no_later(first: int) -> None:
    """To standard error and standard output in turn, beginning with either."""
    script = f"""
import os, time
for number in range(2000):
    if number % 5 == 0:
        time.sleep(0.0002)  # an engine computes in between
    os.write({first}, b"%d\\n" % number)
    os.write({3 - first}, b"%d\\n" % number)
"""
    wrong = []

    class Ordered(Heard):
        def take(self, errors: bytes, output: bytes) -> None:
            super().take(errors, output)
            lines = {1: self.output.count(b"\n"), 2: self.errors.count(b"\n")}
            wrong.append(lines[3 - first] > lines[first])

    heard = Ordered()
    argv = [sys.executable, "-I", "-S", "-c", script]
    child = ChildProcess("engine", argv, heard.take, heard.ends.append)
    assert heard.wait() == "exited with 0"
    child.end()
    assert heard.output.count(b"\n") == heard.errors.count(b"\n") == 2000
    assert not any(wrong)


def test_a_program_that_can_not_be_run_is_named(tmp_path: Path) -> None:
    heard = Heard()
    for content, words in ((b"\x7fELF", "Exec format"), (None, "No such file")):
        program = tmp_path / "program"
        program.unlink(missing_ok=True)
        if content is not None:
            program.write_bytes(content)
            program.chmod(0o755)
        with pytest.raises(UnavailableError, match=rf"engine: can't run .*program \({words}"):
            ChildProcess("engine", [str(program)], heard.take, heard.ends.append)


def test_it_takes_what_there_is_room_for_and_one_can_wait_for_more() -> None:
    async def body() -> None:
        with python("import sys\nfor _ in sys.stdin.buffer: pass") as (child, _):
            sent = 0
            while sent < 1_000_000:
                count = child.offer(bytes(10_000))
                sent += count
                if not count:
                    await child.room(SOON_S)

    asyncio.run(body())


def test_one_that_reads_nothing_is_noticed() -> None:
    async def body() -> None:
        with python("import time; time.sleep(100)") as (child, _):
            while child.offer(bytes(10_000)):
                pass
            with pytest.raises(StalledError, match=r"took no audio for 0\.1 s"):
                await child.room(0.1)

    asyncio.run(body())


def test_one_that_has_ended_takes_nothing() -> None:
    with python("") as (child, heard):
        heard.wait()
        with pytest.raises(ProviderError, match="takes no more input"):
            child.offer(b"1")
    with pytest.raises(ProviderError, match="takes no more input"):
        child.offer(b"1")


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    children = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, "child"], start_new_session=session)
        for session in (False, True)
    ]
    print(os.getpid(), *[child.pid for child in children])
time.sleep(1000)
"""


def test_one_that_will_not_go_is_ended_with_its_children_in_bounded_time() -> None:
    """One of them has left its group."""
    with python(f"SCRIPT = {STUBBORN!r}\n{STUBBORN}") as (child, heard):
        deadline_s = time.monotonic() + SOON_S
        while heard.output.count(b" ") < 2 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        pids = [int(pid) for pid in heard.output.split()]
        assert len(pids) == 3
        assert all(map(is_running, pids))
        begin_s = time.monotonic()
        child.end()
        assert time.monotonic() - begin_s < SOON_S
        child.end()
    assert all(map(wait_for_end, pids))


def test_it_ends_with_us_however_we_end() -> None:
    """Killed, or by forgetting it; the child hangs, so it doesn't notice by itself."""
    script = """
import os, signal, sys, time
from harness.processes.child import ChildProcess
script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
argv = [sys.executable, "-I", "-S", "-c", script]
child = ChildProcess("engine", argv, lambda errors, output: None, lambda how: None)
print(child.pid, flush=True)
sys.stdin.read(1)
"""
    mark = uuid.uuid4().hex
    for kill in (True, False):
        us = subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, MARK: mark},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert us.stdin is not None
        assert us.stdout is not None
        pid = int(us.stdout.readline())
        assert is_running(pid)
        if kill:
            us.send_signal(signal.SIGKILL)
        us.stdin.close()
        us.wait(SOON_S)
        us.stdout.close()
        assert wait_for_end(pid)
        assert alive(mark) == []


def test_its_guard_goes_before_its_number_can_be_used_again() -> None:
    before = set(psutil.Process().children())
    with python("") as (_, heard):
        heard.wait()
        left = [child for child in set(psutil.Process().children()) - before
                if child.status() != psutil.STATUS_ZOMBIE]  # fmt: skip
        assert left == []

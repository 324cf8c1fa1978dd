"""The run's side of a worker process: starts it, reads what it says, and ends it in any case."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import IO

import msgspec

from harness.errors import EchobenchError
from harness.journal.events import AnyEvent, TrialEnded
from harness.processes.child import STDERR_TAIL, TERMINATE_S, signal_name
from harness.processes.descendants import MARK, end_descendants
from harness.runner.requests import Request
from harness.specs.trial import TrialStatus

MAX_LINE = 1 << 20
MAX_SHOWN = 300
"""Characters of a line of standard error that are worth showing."""
LAST_WORDS_S = 0.5
"""For what a dead worker wrote to standard error to arrive; its children may keep that open."""

_decode = msgspec.json.Decoder(AnyEvent).decode


class WorkerFailedError(EchobenchError):
    """A worker died, fell silent, or sent what it must not; `status` is how its trial ends."""

    def __init__(self, status: TrialStatus, problem: str, stderr: str) -> None:
        tail = "".join(f"\n    | {line[:MAX_SHOWN]}" for line in stderr.splitlines()[-8:])
        super().__init__("worker", problem + tail)
        self.status = status


class WorkerProcess:
    """A child process in a group of its own; both of its outputs are always read."""

    def __init__(self) -> None:
        self.spawned_at_s = time.monotonic()
        self._mark, self._begun_s = uuid.uuid4().hex, time.time()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.runner.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                MARK: self._mark,
            },
        )
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self._stdin = stdin
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stderr = b""
        self._readers = [
            threading.Thread(target=self._read_events, args=(stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process, which is also its group."""
        return self._process.pid

    def ask(self, request: Request, silence_s: float) -> Iterator[tuple[bytes, AnyEvent]]:
        """Send a request, and yield the answer's events, encoded and decoded, to its end.

        Args:
            request: What to do.
            silence_s: How long the worker may say nothing.

        Raises:
            WorkerFailedError: It died, fell silent or sent garbage. Only `end` is of use then.
        """
        with contextlib.suppress(BrokenPipeError):  # it died, and reading will say how
            self._stdin.write(msgspec.json.encode(request) + b"\n")
            self._stdin.flush()
        while True:
            try:
                line = self._lines.get(timeout=silence_s)
            except queue.Empty:
                problem = f"said nothing for {silence_s:.0f} s"
                raise WorkerFailedError(TrialStatus.TIMEOUT, problem, self.stderr()) from None
            if not line:
                raise self._died()
            try:
                event = _decode(line)
            except msgspec.MsgspecError as error:
                problem = f"sent {len(line)} bytes that are no event ({error}): {line[:80]!r}"
                raise WorkerFailedError(TrialStatus.BAD_OUTPUT, problem, self.stderr()) from error
            yield line.rstrip(b"\n"), event
            if isinstance(event, TrialEnded):
                return

    def end(self) -> None:
        """End the worker and its children: at once if it is dead, else within seconds."""
        self._signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(TERMINATE_S)
        self._signal_group(signal.SIGKILL)  # also what it left behind in its group
        self._process.wait()
        end_descendants(self._mark, self._begun_s)
        for reader in self._readers:
            reader.join(TERMINATE_S)
        with contextlib.suppress(BrokenPipeError):  # of a request that it never read
            self._stdin.close()

    def stderr(self) -> str:
        """The last that it, or an engine in it, wrote to standard error."""
        return self._stderr.decode(errors="replace")

    def _died(self) -> WorkerFailedError:
        try:
            code = self._process.wait(TERMINATE_S)
        except subprocess.TimeoutExpired:
            problem = "the process closed its output and went on"
            return WorkerFailedError(TrialStatus.BAD_OUTPUT, problem, self.stderr())
        self._readers[1].join(LAST_WORDS_S)
        how = f"was killed by {signal_name(-code)}" if code < 0 else f"exited with {code}"
        return WorkerFailedError(TrialStatus.PROVIDER_CRASH, f"the process {how}", self.stderr())

    def _signal_group(self, number: int) -> None:
        # Nobody may be left in the group, which macOS calls a lack of permission.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read_events(self, stream: IO[bytes]) -> None:
        while line := stream.readline(MAX_LINE):
            self._lines.put(line)
        self._lines.put(b"")
        stream.close()

    def _read_stderr(self, stream: IO[bytes]) -> None:
        while part := os.read(stream.fileno(), STDERR_TAIL):
            self._stderr = (self._stderr + part)[-STDERR_TAIL:]
        stream.close()

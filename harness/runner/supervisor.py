"""Supervises a worker process from the run's side: starts it, reads its events, and ends it."""

import queue
import time
from collections.abc import Iterator

import msgspec

from harness.errors import EchobenchError
from harness.journal.events import AnyEvent, TrialEnded
from harness.processes.python_child import PythonChild
from harness.runner.requests import Request
from harness.specs.trial import TrialStatus

MAX_EVENT_BYTES = 1 << 20

_decode = msgspec.json.Decoder(AnyEvent).decode
Line = tuple[bytes, AnyEvent]
"""An event as a line of the journal, and decoded."""


class WorkerFailedError(EchobenchError):
    """A worker or its request failed; `status` is the status of its trial."""

    def __init__(self, status: TrialStatus, problem: str) -> None:
        super().__init__("worker", problem)
        self.status = status


class WorkerProcess(PythonChild[Line]):
    """A child process that keeps a model resident; after an error it can only be ended."""

    module = "harness.runner.worker"
    ends_itself = True
    max_bytes = MAX_EVENT_BYTES

    def __init__(self) -> None:
        self.spawned_at_s = time.monotonic()
        self._inbox: queue.SimpleQueue[Line | WorkerFailedError] = queue.SimpleQueue()
        super().__init__("worker", lambda line: (line, _decode(line)))

    def ask(self, request: Request, silence_s: float) -> Iterator[Line]:
        """Send a request, and yield the events that answer it.

        Args:
            request: The request.
            silence_s: How long the worker may send nothing.

        Raises:
            WorkerFailedError: The worker died, sent nothing for too long or sent an invalid event.
        """
        self.send(msgspec.json.encode(request))
        while True:
            try:
                item = self._inbox.get(timeout=silence_s)
            except queue.Empty:
                problem = f"sent nothing for {silence_s:.0f} s"
                raise self._failed(TrialStatus.TIMEOUT, problem) from None
            if isinstance(item, WorkerFailedError):
                raise item
            yield item
            if isinstance(item[1], TrialEnded):
                return

    def take(self, message: Line) -> None:
        """See `PythonChild`."""
        self._inbox.put(message)

    def fail(self, problem: str) -> None:
        """See `PythonChild`."""
        lives = self.exit_code is None
        status = TrialStatus.BAD_OUTPUT if lives else TrialStatus.PROVIDER_CRASH
        self._inbox.put(self._failed(status, f"the process {problem}"))

    def _failed(self, status: TrialStatus, problem: str) -> WorkerFailedError:
        return WorkerFailedError(status, "\n    | ".join([problem, *self.last_lines()]))

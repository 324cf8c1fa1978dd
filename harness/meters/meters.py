"""What looks at this process and the machine once a second, for one session or for many at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness.journal.events import Surroundings
from harness.meters.environment import SurroundingsMeter
from harness.meters.resources import ResourceMeter, Usage


class Meters:
    """Reads both.

    Args:
        shared_s: A reading as recent as this is good enough, so that many sessions of a process
            don't all look at the same things; 0 looks each time.

    Attributes:
        thread: Where to call `read`. The loop's own pool may grow at any time, which would count as
            the provider's doing; and a thread a session would hold up all others as it starts.
    """

    def __init__(self, shared_s: float = 0.0) -> None:
        self._shared_s = shared_s
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="meters")
        self._resources, self._surroundings = ResourceMeter(), SurroundingsMeter()
        self._latest: Usage | None = None
        self._read_at_s = float("-inf")
        self._turn = threading.Lock()

    def close(self) -> None:
        """Let the thread go; no reading follows."""
        self.thread.shutdown(wait=False)

    def read(self, *, last: bool = False) -> tuple[Usage, Surroundings | None]:
        """Read now; blocking, for milliseconds, and from any thread.

        Args:
            last: Whether to look at the machine too although it isn't due.

        Returns:
            What the process uses, and how the machine does, if it was due.
        """
        with self._turn:
            usage = self._latest
            if usage is None or time.monotonic() - self._read_at_s > self._shared_s:
                usage = self._latest = self._resources.read()
                self._read_at_s = time.monotonic()
            seen = None
            if last or self._surroundings.is_due():
                seen = self._surroundings.read(usage.cpu_s)
            return usage, seen

"""Reads the resource and surroundings meters together, for one session or several."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness.journal.events import Surroundings
from harness.meters.environment import SurroundingsMeter
from harness.meters.resources import ResourceMeter, Usage


class Meters:
    """Reads the use of resources, and the state of the machine when it is due.

    Args:
        shared_s: The maximum age of a reading that several sessions share; 0 reads each time.

    Attributes:
        thread: Where to call `read`. The loop's own pool may grow at any time, which would count as
            the provider's threads; and starting a thread per session would delay the others.
    """

    def __init__(self, shared_s: float = 0.0) -> None:
        self._shared_s = shared_s
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="meters")
        self._resources, self._surroundings = ResourceMeter(), SurroundingsMeter()
        self._latest: Usage | None = None
        self._read_at_s = float("-inf")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Release the thread; no reading follows."""
        self.thread.shutdown(wait=False)

    def read(self, *, last: bool = False) -> tuple[Usage, Surroundings | None]:
        """Read the meters; blocks for milliseconds; from any thread.

        Args:
            last: Whether to read the state of the machine although it isn't due.

        Returns:
            The resources of the process, and the state of the machine if it was due.
        """
        with self._lock:
            usage = self._latest
            if usage is None or time.monotonic() - self._read_at_s > self._shared_s:
                usage = self._latest = self._resources.read()
                self._read_at_s = time.monotonic()
            seen = None
            if last or self._surroundings.is_due():
                seen = self._surroundings.read(usage.cpu_s)
            return usage, seen

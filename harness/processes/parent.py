"""Exchanges messages with the parent process; the child's side."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from harness.processes.framing import READ_BYTES, Frames, frame, write_all

T = TypeVar("T")


class ParentPipe:
    """Uses standard input and output for messages; has to be made before an engine is imported.

    From then on standard input is empty and standard output goes to standard error, so that an
    engine and its children can't read or write messages. Ctrl-C is ignored: the parent handles it
    and ends this process.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._incoming = os.dup(sys.stdin.fileno())
        self.outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb", 0)
        """Unbuffered."""
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, sys.stdin.fileno())
        os.close(nothing)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, body: bytes) -> None:
        """Send a message at once, from any thread; a crash right after doesn't lose it."""
        with self._lock:
            write_all(self.outgoing, frame(body))

    def receive(self, decode: Callable[[bytes], T]) -> Iterator[T]:
        """Yield messages as they arrive, until the parent has ended."""
        frames = Frames(decode)
        while part := os.read(self._incoming, READ_BYTES):
            yield from frames.feed(part)

    def listen(self, decode: Callable[[bytes], T], take: Callable[[T], object]) -> None:
        """Call `take` with each message, in a thread.

        Once the parent has ended, kill this process and all that it started.
        """
        from harness.processes.descendants import kill_own_group  # slow to import

        def read() -> None:
            for message in self.receive(decode):
                take(message)
            kill_own_group()

        threading.Thread(target=read, daemon=True, name="requests").start()

"""The pipes between a child process and its parent, seen from the child."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from harness.processes.framing import READ_BYTES, Frames, frame, write_all

T = TypeVar("T")


class ParentPipe:
    """Takes standard input and output for messages; made before any engine is imported.

    From then on standard input is empty and standard output is standard error, so that nothing an
    engine or its children read or print gets in between. Ctrl-C is for the parent, which ends us.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._incoming = os.dup(sys.stdin.fileno())
        self.outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb", 0)
        """Unbuffered."""
        self._turn = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, sys.stdin.fileno())
        os.close(nothing)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def send(self, body: bytes) -> None:
        """Send a message now, from any thread: not even a crash right after takes it back."""
        with self._turn:
            write_all(self.outgoing, frame(body))

    def receive(self, decode: Callable[[bytes], T]) -> Iterator[T]:
        """Yield messages as they come, until the parent is gone."""
        frames = Frames(decode)
        while part := os.read(self._incoming, READ_BYTES):
            yield from frames.feed(part)

    def listen(self, decode: Callable[[bytes], T], take: Callable[[T], object]) -> None:
        """Have each message taken in a thread.

        Once the parent is gone, this process ends, with all that it started, whatever it does.
        """
        from harness.processes.descendants import kill_own_group  # slow to import

        def read() -> None:
            for message in self.receive(decode):
                take(message)
            kill_own_group()

        threading.Thread(target=read, daemon=True, name="requests").start()

"""Runs a Python module as a child process that exchanges messages; the parent's side."""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from harness.processes.child import ChildProcess
from harness.processes.framing import MAX_BYTES, Frames, Outbox

T = TypeVar("T")


class PythonChild(ChildProcess, ABC, Generic[T]):
    """A child process that runs `python -m <module>` and uses a `ParentPipe`.

    Args:
        name: Its name in messages.
        decode: Decodes a message.
    """

    module: ClassVar[str]
    ends_itself: ClassVar[bool] = False
    """See `ChildProcess`."""
    max_bytes: ClassVar[int] = MAX_BYTES
    """The maximum length of a message."""

    def __init__(self, name: str, decode: Callable[[bytes], T]) -> None:
        self._frames = Frames(decode, self.max_bytes)
        self._is_readable = True
        # Without -P, a package `models` in the current folder would replace ours.
        argv = [sys.executable, "-P", "-m", self.module]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        super().__init__(name, argv, self._read_messages, self.fail, env, self.ends_itself)
        os.set_blocking(self._stdin.fileno(), True)
        self._outbox = Outbox(self._stdin)

    def send(self, body: bytes) -> None:
        """Send a message without waiting; it is lost if the process has ended."""
        self._outbox.send(body)

    def end(self) -> None:
        """See `ChildProcess`."""
        super().end()
        self._outbox.close()

    @abstractmethod
    def take(self, message: T) -> None:
        """Handle a message; called in the reading thread, as is `fail`."""

    @abstractmethod
    def fail(self, problem: str) -> None:
        """Handle the end of messages, for the reason given."""

    def _read_messages(self, errors: bytes, output: bytes) -> None:
        if not self._is_readable:
            return
        try:
            for message in self._frames.feed(output):
                self.take(message)
        except Exception as error:  # noqa: BLE001  (after any error nothing more can be read)
            self._is_readable = False
            self.fail(f"sent {len(output)} bytes that are no message ({error})")

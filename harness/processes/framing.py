"""Messages on a pipe: the length of each (4 bytes, little-endian), and so many bytes of it."""

import queue
import struct
import threading
from collections.abc import Callable, Iterator
from typing import IO, Generic, TypeVar

import msgspec

T = TypeVar("T")

LENGTH = struct.Struct("<I")
MAX_BYTES = 1 << 26
"""Of a message; a chunk of 30 s is 1 MB. Bytes that are no message mostly name a larger one."""
READ_BYTES = 1 << 16


def frame(body: bytes) -> bytes:
    """A message as it is sent."""
    return LENGTH.pack(len(body)) + body


class Frames(Generic[T]):
    """Takes messages out of bytes that come in parts of any size.

    Args:
        decode: Makes a message of its bytes.
        max_bytes: The longest message that is accepted.

    >>> frames = Frames(bytes.decode)
    >>> [*frames.feed(frame(b"one") + frame(b"two")[:-1])], [*frames.feed(b"o")]
    (['one'], ['two'])
    """

    def __init__(self, decode: Callable[[bytes], T], max_bytes: int = MAX_BYTES) -> None:
        self._decode, self._max_bytes = decode, max_bytes
        self._received = bytearray()

    def feed(self, part: bytes) -> Iterator[T]:
        """Add what was read, and yield the messages that are complete.

        Raises:
            msgspec.MsgspecError: It is no message; nothing after it can be read.
        """
        received = self._received
        received += part
        while len(received) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(received)
            if length > self._max_bytes:
                raise msgspec.DecodeError(f"{length} bytes in one message")
            end = LENGTH.size + length
            if len(received) < end:
                return
            body = bytes(received[LENGTH.size : end])
            del received[:end]
            yield self._decode(body)


def write_all(pipe: IO[bytes], data: bytes) -> None:
    """Write to an unbuffered pipe, which may take less than all at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


class Outbox:
    """Writes messages to a pipe in order, in a thread: sending never waits for the reader.

    Args:
        pipe: An unbuffered pipe whose writes block.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True, name="outbox").start()

    def send(self, body: bytes) -> None:
        """Send a message; from any thread."""
        self._frames.put(frame(body))

    def close(self) -> None:
        """Send no more."""
        self._frames.put(b"")

    def _write(self) -> None:
        while data := self._frames.get():
            try:
                write_all(self._pipe, data)
            except (OSError, ValueError):  # the reader is gone, which its other pipes tell
                return

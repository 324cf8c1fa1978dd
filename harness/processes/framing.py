"""Frames messages on a pipe: the length (4 bytes, little-endian), then the message."""

import queue
import struct
import threading
from collections.abc import Callable, Iterator
from typing import IO, Generic, TypeVar

import msgspec

T = TypeVar("T")

LENGTH = struct.Struct("<I")
MAX_BYTES = 1 << 26
"""Per message; a chunk of 30 s has 1 MB. Other data read as a length usually gives more."""
READ_BYTES = 1 << 16


def frame(body: bytes) -> bytes:
    """Put the length before a message."""
    return LENGTH.pack(len(body)) + body


class Frames(Generic[T]):
    """Splits received bytes, in parts of any size, into messages.

    Args:
        decode: Decodes a message.
        max_bytes: The maximum length of a message.

    >>> frames = Frames(bytes.decode)
    >>> [*frames.feed(frame(b"one") + frame(b"two")[:-1])], [*frames.feed(b"o")]
    (['one'], ['two'])
    """

    def __init__(self, decode: Callable[[bytes], T], max_bytes: int = MAX_BYTES) -> None:
        self._decode, self._max_bytes = decode, max_bytes
        self._received = bytearray()

    def feed(self, part: bytes) -> Iterator[T]:
        """Add received bytes, and yield the messages that are complete.

        Raises:
            msgspec.MsgspecError: The bytes aren't a message; nothing after them can be read.
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
    """Write all bytes to an unbuffered pipe, which may accept only a part per call."""
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


class Outbox:
    """Writes messages to a pipe in order, in a thread: `send` never waits for the reader.

    Args:
        pipe: An unbuffered pipe with blocking writes.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True, name="outbox").start()

    def send(self, body: bytes) -> None:
        """Queue a message; from any thread."""
        self._frames.put(frame(body))

    def close(self) -> None:
        """End the thread once the queued messages are written."""
        self._frames.put(b"")

    def _write(self) -> None:
        while data := self._frames.get():
            try:
                write_all(self._pipe, data)
            except (OSError, ValueError):  # the reader has ended; its output pipes report that
                return

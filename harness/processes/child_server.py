"""The child's side of `childcalls`: makes an engine, and answers calls of its methods.

A message is a length (4 bytes, little-endian) and so many bytes of MessagePack: calls on standard
input, one answer to each, in order, on standard output. The first call makes the engine. The child
does nothing but answer, and ends when its input does. What the engine prints goes to standard
error. This module imports little, since a child has to be ready soon.
"""

import importlib
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from harness.processes.pipes import own_pipes

T = TypeVar("T")

LENGTH_BYTES = 4
READ = 1 << 16
MAX = 1 << 26
"""Bytes of a message; an engine that wrote to our pipe past us would name a larger one."""


class Call(msgspec.Struct, array_like=True):
    """What a method of the engine is called with; no method asks for nothing."""

    method: str
    arguments: tuple[Any, ...]


class Answer(msgspec.Struct, array_like=True):
    """What it returned, or raised."""

    value: Any = None
    error: str | None = None


def framed(message: Call | Answer) -> bytes:
    """A message as it is sent."""
    content = msgspec.msgpack.encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "little") + content


def unframed(received: bytearray, kind: type[T]) -> Iterator[T]:
    """Take the whole messages off the beginning of what was received.

    Raises:
        MsgspecError: They are none.

    >>> received = bytearray(framed(Answer(1)) + framed(Answer(2)))
    >>> del received[-1:]
    >>> [answer.value for answer in unframed(received, Answer)], len(received)
    ([1], 6)
    """
    while len(received) >= LENGTH_BYTES:
        length = int.from_bytes(received[:LENGTH_BYTES], "little")
        if length > MAX:
            raise msgspec.DecodeError(f"{length} bytes in one message")
        end = LENGTH_BYTES + length
        if len(received) < end:
            return
        message = bytes(received[LENGTH_BYTES:end])
        del received[:end]
        yield msgspec.msgpack.decode(message, type=kind)


def serve() -> None:
    """Answer calls until standard input ends."""
    calls, answers = own_pipes()
    engine: object = None
    received = bytearray()
    while part := os.read(calls, READ):
        received += part
        for call in unframed(received, Call):
            answer = Answer()
            try:
                if engine is None:
                    module, _, name = call.method.partition(":")
                    engine = getattr(importlib.import_module(module), name)(*call.arguments)
                elif call.method:
                    answer.value = getattr(engine, call.method)(*call.arguments)
            except Exception as error:  # noqa: BLE001  (the caller is told, whatever it is)
                answer.error = f"{type(error).__name__}: {error}"
            _write(answers, framed(answer))


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]

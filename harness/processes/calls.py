"""Defines the messages for calls of methods in another process, and encodes them as MessagePack."""

from typing import Any

import msgspec

from harness import errors
from harness.support.sanitize import sendable


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Base of all messages."""


class Call(Message, frozen=True):
    """A call of a method, which is answered; from a child, an event without an answer."""

    number: int
    method: str
    arguments: tuple[Any, ...] = ()


class Cancel(Message, frozen=True):
    """The caller no longer waits for the answer."""

    number: int


class Failure(Message, frozen=True):
    """An error of `harness.errors`, with the name of its class."""

    kind: str
    where: str
    problem: str
    allowed: str | None = None


class Answer(Message, frozen=True):
    """The result of a call, or the error that it raised."""

    number: int
    value: Any = None
    failure: Failure | None = None


encode = msgspec.msgpack.Encoder().encode


def failure_of(error: errors.EchobenchError) -> Failure:
    """Convert an error for sending."""
    allowed = None if error.allowed is None else sendable(error.allowed)
    return Failure(type(error).__name__, sendable(error.where), sendable(error.problem), allowed)


def error_of(failure: Failure, where: str) -> errors.EchobenchError:
    """Restore an error of the other process; `where` is used if the error has none.

    >>> error_of(failure_of(errors.ModelError("tiny.bin", "8 bytes", "a whole model")), "whisper")
    ModelError('tiny.bin: 8 bytes; allowed: a whole model')
    """
    kind: type[errors.EchobenchError] = getattr(errors, failure.kind, errors.ProviderError)
    if kind is errors.UnknownNameError:  # needs the list of names, which wasn't sent
        kind = errors.UsageError
    return kind(failure.where or where, failure.problem, failure.allowed)

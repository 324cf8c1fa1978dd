"""Calls of methods in another process, and their answers, as MessagePack."""

from typing import Any

import msgspec

from harness import errors
from harness.support.sanitize import sendable


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Base of all messages."""


class Call(Message, frozen=True):
    """Call a method; it is answered. From a child, it is none: it tells something."""

    number: int
    method: str
    arguments: tuple[Any, ...] = ()


class Cancel(Message, frozen=True):
    """Nobody waits for the answer any more."""

    number: int


class Failure(Message, frozen=True):
    """An error of `harness.errors`, by its class' name."""

    kind: str
    where: str
    problem: str
    allowed: str | None = None


class Answer(Message, frozen=True):
    """What a call returned, or raised."""

    number: int
    value: Any = None
    failure: Failure | None = None


encode = msgspec.msgpack.Encoder().encode


def failure_of(error: errors.EchobenchError) -> Failure:
    """An error as it is sent."""
    allowed = None if error.allowed is None else sendable(error.allowed)
    return Failure(type(error).__name__, sendable(error.where), sendable(error.problem), allowed)


def error_of(failure: Failure, where: str) -> errors.EchobenchError:
    """The error that was met with in the other process; `where` if it doesn't say where.

    >>> error_of(failure_of(errors.ModelError("tiny.bin", "8 bytes", "a whole model")), "whisper")
    ModelError('tiny.bin: 8 bytes; allowed: a whole model')
    """
    kind: type[errors.EchobenchError] = getattr(errors, failure.kind, errors.ProviderError)
    if kind is errors.UnknownNameError:  # is made from a list of names, which wasn't sent
        kind = errors.UsageError
    return kind(failure.where or where, failure.problem, failure.allowed)

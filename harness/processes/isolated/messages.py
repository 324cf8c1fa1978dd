"""What the two processes say to each other: frames of MessagePack, each with its length in front.

The provider's process asks for each chunk of a source when its provider does, so that pulling
reaches through to whoever has the audio.
"""

import struct
from typing import Any

import msgspec

from harness import errors
from harness.contract import (
    ASRHealth,
    ASRSegment,
    AudioSource,
    InferenceSpan,
    Interruption,
    Option,
    SessionConfig,
)

LENGTH = struct.Struct("<I")
MAX = 1 << 26
"""Bytes of a message; a chunk of 30 s is a megabyte."""


class _Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    pass


class Make(_Message, frozen=True):
    """Make the provider; it loads nothing yet."""

    provider: str
    settings: dict[str, Option]


class StartSession(_Message, frozen=True):
    """Call `start_session`; answered."""

    call: int
    session_id: str
    config: SessionConfig


class StopSession(_Message, frozen=True):
    """Call `stop_session`; answered."""

    call: int
    session_id: str


class AskHealth(_Message, frozen=True):
    """Call `health`; answered."""

    call: int


class Flush(_Message, frozen=True):
    """Call `flush`; answered."""

    call: int
    source: AudioSource | None


class OpenStream(_Message, frozen=True):
    """Call `transcribe_stream`; segments come, and a `StreamDone`."""

    stream: int
    sample_rate: int
    source: AudioSource | None


class Chunk(_Message, frozen=True):
    """The chunk that was asked for; no audio follows where it is None."""

    stream: int
    pcm: bytes | None


class CancelStream(_Message, frozen=True):
    """Leave the iterator."""

    stream: int


class Answer(_Message, frozen=True):
    """What a call returned, or what it raised."""

    call: int
    value: bool | ASRHealth | list[ASRSegment] | None = None
    error: str = ""
    """Of `harness.errors`, by its class' name; what went wrong follows."""
    where: str = ""
    problem: str = ""
    allowed: str | None = None


class WantChunk(_Message, frozen=True):
    """The provider asks for the next chunk of a stream."""

    stream: int


class Segment(_Message, frozen=True):
    """The provider said something."""

    stream: int
    segment: ASRSegment


class StreamDone(_Message, frozen=True):
    """The provider's iterator ended, or raised what `error` holds."""

    stream: int
    error: Answer | None = None


class Inference(_Message, frozen=True):
    """The engine ran; on the machine's steady clock."""

    span: InferenceSpan


ToHost = (
    Make | StartSession | StopSession | AskHealth | Flush | OpenStream | Chunk | CancelStream
)  # fmt: skip


class Interrupting(_Message, frozen=True):
    """The provider met with a failure that it tries to mend; on the machine's steady clock."""

    what: Interruption


FromHost = Answer | WantChunk | Segment | StreamDone | Inference | Interrupting

_encode = msgspec.msgpack.Encoder().encode
_to_host: msgspec.msgpack.Decoder[ToHost] = msgspec.msgpack.Decoder(ToHost)
_from_host: msgspec.msgpack.Decoder[FromHost] = msgspec.msgpack.Decoder(FromHost)


def framed(message: ToHost | FromHost) -> bytes:
    """A message as it goes over the pipe."""
    body = _encode(message)
    return LENGTH.pack(len(body)) + body


def to_host(body: bytes) -> ToHost:
    """Read a message to the provider's process."""
    return _to_host.decode(body)


def from_host(body: bytes) -> FromHost:
    """Read a message from the provider's process.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _from_host.decode(body)


def plain(error: Any, call: int = 0) -> Answer:
    """An error of `harness.errors` as a message."""
    return Answer(
        call, None, type(error).__name__, error.where, error.problem, error.allowed
    )  # fmt: skip


def raised(answer: Answer) -> errors.EchobenchError:
    """The error that the far side met with."""
    kind: Any = getattr(errors, answer.error, None)
    if not (isinstance(kind, type) and issubclass(kind, errors.EchobenchError)):
        kind = errors.ProviderError
    if kind is errors.UnknownNameError:  # is made from a list of names, which didn't travel
        kind = errors.UsageError
    error: errors.EchobenchError = kind(answer.where, answer.problem, answer.allowed)
    return error

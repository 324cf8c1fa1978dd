"""What goes between a provider's process and us, besides calls and answers.

A stream is a call of `transcribe_stream`. Meanwhile the provider's process sends the segments, and
asks for each chunk of the source when its provider does, so that pulling reaches through to
whatever has the audio.
"""

import msgspec

from harness.contract import ASRSegment, InferenceSpan, Interruption
from harness.processes.calls import Answer, Call, Message


class Chunk(Message, frozen=True):
    """The chunk that was asked for; no audio follows where it is None."""

    stream: int
    pcm: bytes | None


class CancelStream(Message, frozen=True):
    """Leave the iterator; then the call is answered."""

    stream: int


class WantChunk(Message, frozen=True):
    """The provider asks for the next chunk of a stream."""

    stream: int


class Segment(Message, frozen=True):
    """The provider said something."""

    stream: int
    segment: ASRSegment


class Inference(Message, frozen=True):
    """The engine ran; on the machine's steady clock."""

    span: InferenceSpan


class Interrupting(Message, frozen=True):
    """The provider met with a failure that it tries to mend; on the machine's steady clock."""

    what: Interruption


ToHost = Call | Chunk | CancelStream
FromHost = Answer | WantChunk | Segment | Inference | Interrupting

to_host: msgspec.msgpack.Decoder[ToHost] = msgspec.msgpack.Decoder(ToHost)
from_host: msgspec.msgpack.Decoder[FromHost] = msgspec.msgpack.Decoder(FromHost)

"""What is said beside audio, as JSON: a `type` and the fields of one of these records."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.live.protocol.close_codes import Close, RefusalError

PROTOCOL = 1
MAX_TEXT = 1 << 16
"""Bytes of a message from a client."""
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _FromClient(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"
):
    pass


class Start(_FromClient, frozen=True, kw_only=True, tag="start"):
    """The first message of a client that sends audio."""

    protocol: Literal[1]
    sources: Annotated[tuple[AudioSource, ...], Meta(min_length=1, max_length=2)]
    session: Name | None = None
    """A name to find it again by; made up where none is given."""
    chunk_seconds: Annotated[float, Meta(ge=0.1, le=30)] | None = None

    def __post_init__(self) -> None:
        if len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources {', '.join(self.sources)}: each only once")


class End(_FromClient, frozen=True, kw_only=True, tag="end"):
    """A source has ended; what was heard of it becomes final."""

    source: AudioSource


class Reset(_FromClient, frozen=True, kw_only=True, tag="reset"):
    """Someone says that the overload is over: back to normal, whatever the ladder says."""

    reason: Annotated[str, Meta(max_length=200)] = "asked for by the client"


class Watching(_FromClient, frozen=True, kw_only=True, tag="watch"):
    """The first message of a client that only looks on."""

    session: Name | None = None
    """The session that began last where none is named; the next one if there is none."""


FromClient = Start | End | Reset | Watching


class _FromServer(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Ready(_FromServer, frozen=True, kw_only=True, tag="ready"):
    """Audio may be sent now."""

    protocol: int = PROTOCOL
    session: str
    provider: str
    model: str
    chunk_seconds: float
    sources: tuple[AudioSource, ...]
    level: str
    """Of the degrade ladder."""


class _Text(_FromServer, frozen=True, kw_only=True):
    source: AudioSource
    segment_id: int
    revision: int
    text: str
    t0: float
    t1: float
    stable_words: int
    words: tuple[Word, ...]


class Partial(_Text, frozen=True, kw_only=True, tag="partial"):
    """What a source says, so far; it takes the place of the partial before it with the same id."""


class Final(_Text, frozen=True, kw_only=True, tag="final"):
    """What a source said, for good."""


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """How one source's audio fares."""

    received_s: float
    queued_chunks: int
    queued_s: float
    dropped_chunks: int
    lost_s: float
    """Audio that the sender lost, by its sequence and clock; silence stands for it."""
    transit_ms: float | None
    """How much longer the last frame was under way than the fastest one."""


class Metrics(_FromServer, frozen=True, kw_only=True, tag="metrics"):
    """How it goes, once a second."""

    at_s: float
    rtf: float | None
    """Of the last seconds, all sources together, as the server measured it."""
    level: str
    sources: dict[AudioSource, SourceState]
    health: ASRHealth
    """What the provider says of itself."""
    cpu_s: float
    rss_bytes: int
    listeners: int


class Status(_FromServer, frozen=True, kw_only=True, tag="status"):
    """The session was degraded a step further, or less far."""

    at_s: float
    level: str
    before: str
    cause: str
    message: str
    actions: tuple[str, ...]


class Pressure(_FromServer, frozen=True, kw_only=True, tag="backpressure"):
    """A source's queue fills up, or is empty again."""

    source: AudioSource
    at_s: float
    level: float
    reason: str


class Warned(_FromServer, frozen=True, kw_only=True, tag="warning"):
    """Something is wrong with what the client sends, and the session goes on."""

    message: str


class Failed(_FromServer, frozen=True, kw_only=True, tag="error"):
    """Why the connection is about to be closed, in full."""

    code: int
    message: str


class Ended(_FromServer, frozen=True, kw_only=True, tag="ended"):
    """All audio was answered; nothing follows."""

    session: str
    finals: int


FromServer = (
    Ready | Partial | Final | Metrics | Status | Pressure | Warned | Failed | Ended
)  # fmt: skip

_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)


def from_client(message: str) -> FromClient:
    """Read a client's message.

    Raises:
        RefusalError: It is too long, no JSON, or none of the protocol's.
    """
    if len(message) > MAX_TEXT:
        problem = f"a message of {len(message)} characters"
        raise RefusalError(Close.BAD_MESSAGE, problem, f"at most {MAX_TEXT}")
    try:
        return _client.decode(message)
    except (msgspec.MsgspecError, RecursionError) as error:
        allowed = "JSON of type start, end, reset or watch"
        raise RefusalError(Close.BAD_MESSAGE, f"{message[:60]!r} ({error})", allowed) from None


def from_server(message: str | bytes) -> FromServer:
    """Read a server's message.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return _server.decode(message)


def text_of(segment: ASRSegment) -> Partial | Final:
    """What is sent of a segment."""
    assert segment.source is not None
    kind = Final if segment.is_final else Partial
    return kind(
        source=segment.source,
        segment_id=segment.segment_id,
        revision=segment.revision,
        text=segment.text,
        t0=segment.t0,
        t1=segment.t1,
        stable_words=segment.stable_words,
        words=segment.words,
    )

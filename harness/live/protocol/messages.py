"""Messages of the live protocol, as JSON: a `type` and the fields of one of these records."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.live.protocol.close_codes import Close, RefusalError

PROTOCOL = 1
MAX_TEXT = 1 << 16
"""Characters of a message from a client, at most."""
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
    """A name by which others can watch it; generated where none is given."""
    chunk_seconds: Annotated[float, Meta(ge=0.1, le=30)] | None = None

    def __post_init__(self) -> None:
        if len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources {', '.join(self.sources)}: each only once")


class End(_FromClient, frozen=True, kw_only=True, tag="end"):
    """End of a source; all text of it becomes final."""

    source: AudioSource


class Reset(_FromClient, frozen=True, kw_only=True, tag="reset"):
    """A user's request to go back to the ladder's normal level."""

    reason: Annotated[str, Meta(max_length=200)] = "asked for by the client"


class Watching(_FromClient, frozen=True, kw_only=True, tag="watch"):
    """The first message of a client that only watches."""

    session: Name | None = None
    """By default the session that began last, or the next one if none is running."""


FromClient = Start | End | Reset | Watching


class _FromServer(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Ready(_FromServer, frozen=True, kw_only=True, tag="ready"):
    """The session is ready for audio."""

    protocol: int = PROTOCOL
    session: str
    provider: str
    model: str
    chunk_seconds: float
    sources: tuple[AudioSource, ...]
    level: str
    """The level of the degrade ladder."""


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
    """Preliminary text of a segment; replaces the partial before it with the same id."""


class Final(_Text, frozen=True, kw_only=True, tag="final"):
    """Final text of a segment."""


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one source's audio so far."""

    received_s: float
    queued_chunks: int
    queued_s: float
    dropped_chunks: int
    lost_s: float
    """Audio that the sender lost, by its sequence numbers and times; replaced by silence."""
    transit_ms: float | None
    """How much longer the last frame took to arrive than the fastest one."""


class Metrics(_FromServer, frozen=True, kw_only=True, tag="metrics"):
    """Figures of the running session, once per second."""

    at_s: float
    rtf: float | None
    """Real-time factor of the last seconds, of all sources together, measured by the server."""
    level: str
    sources: dict[AudioSource, SourceState]
    health: ASRHealth
    """The provider's own report."""
    cpu_s: float
    rss_bytes: int
    listeners: int


class Status(_FromServer, frozen=True, kw_only=True, tag="status"):
    """The session moved to another level of the ladder."""

    at_s: float
    level: str
    before: str
    cause: str
    message: str
    actions: tuple[str, ...]


class Pressure(_FromServer, frozen=True, kw_only=True, tag="backpressure"):
    """A source's queue fills up, or has room again."""

    source: AudioSource
    at_s: float
    level: float
    reason: str


class Warned(_FromServer, frozen=True, kw_only=True, tag="warning"):
    """The client's audio has a problem; the session continues."""

    message: str


class Failed(_FromServer, frozen=True, kw_only=True, tag="error"):
    """The full reason why the server is about to close the connection."""

    code: int
    message: str


class Ended(_FromServer, frozen=True, kw_only=True, tag="ended"):
    """The session is over: all audio was answered."""

    session: str
    finals: int


FromServer = (
    Ready | Partial | Final | Metrics | Status | Pressure | Warned | Failed | Ended
)  # fmt: skip

_client: msgspec.json.Decoder[FromClient] = msgspec.json.Decoder(FromClient)
_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)


def from_client(message: str) -> FromClient:
    """Decode a client's message.

    Raises:
        RefusalError: It is too long, not JSON, or not a message of the protocol.
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
    """Decode a server's message.

    Raises:
        msgspec.MsgspecError: It is not a message of the protocol.
    """
    return _server.decode(message)


def text_of(segment: ASRSegment) -> Partial | Final:
    """The message for a segment."""
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

"""The provider contract: the class that every provider implements, and the data it exchanges.

A provider is *resident*: its model is loaded by the first `start_session` and stays until
`close`. It holds no timing code; the harness records when its output arrives.

* `transcribe_stream` yields **partials**, which may change, and **finals**, which never do. All
  segments with the same `segment_id` describe the same stretch of speech; the last is the final.
  Ids increase: after the first segment of a stretch of speech, earlier stretches no longer change.
* `t0` and `t1` are seconds of audio since the session's start; finals of a source are in order
  and don't overlap.
* **Conservation**: at every moment, for every source,
  `received = decoded + skipped + dropped + pending`, to the sample.
* Leaving the iterator **cancels**; the provider can be used again at once.
* **Backpressure**: a provider takes the next chunk only when it can use it.
* PCM that can't be used raises `AudioError`; text that was already recognised is yielded first.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import msgspec

from harness.clock import ClockKind
from harness.requirements import Requirement


class AudioSource(StrEnum):
    """A source of audio in a captioned meeting: the microphone or the system's output."""

    MIC = "mic"
    SYSTEM = "system"


class Sharing(StrEnum):
    """How sources share a loaded model, and so how a second source is served."""

    TURNS = "turns"
    """One model for all sources; inferences run one at a time, in the order of the requests."""
    COPIES = "copies"
    """One model and one process per source, which compute at the same time. Another copy is loaded
    when another source begins, and stays."""
    SERVICE = "service"
    """One connection per source to a service whose sharing isn't visible."""


class Word(msgspec.Struct, frozen=True, gc=False):
    """A recognised word; its times are seconds of audio since the session's start."""

    text: str
    t0: float
    t1: float

    def shifted(
        self, by_s: float, earliest_s: float = -math.inf, latest_s: float = math.inf
    ) -> "Word":
        """Move the word in time; both times are kept within the bounds.

        >>> Word("so", 0.25, 0.5).shifted(1.0)
        Word(text='so', t0=1.25, t1=1.5)
        >>> Word("so", 0.25, 0.5).shifted(1.0, earliest_s=1.375, latest_s=1.375)
        Word(text='so', t0=1.375, t1=1.375)
        """
        t0, t1 = (min(max(at_s + by_s, earliest_s), latest_s) for at_s in (self.t0, self.t1))
        return Word(self.text, t0, t1)


class ASRSegment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The text of one stretch of speech: a partial, which may still change, or its final."""

    source: AudioSource | None
    segment_id: int
    """The stretch of speech; a segment replaces the one before it with the same id."""
    revision: int
    """0 for the first segment of this stretch, then 1, 2, …"""
    is_final: bool
    text: str
    t0: float
    t1: float
    words: tuple[Word, ...] = ()
    """Word times, where the engine has them."""
    stable_words: int = 0
    """Number of leading words that the provider expects to keep; all of them in a final."""

    def shifted(self, by_s: float, earliest_s: float = -math.inf) -> "ASRSegment":
        """Move the segment and its words in time; no time is earlier than `earliest_s`.

        >>> segment = ASRSegment(source=None, segment_id=0, revision=0, is_final=True, text="so",
        ...                      t0=0.0, t1=0.5, words=(Word("so", 0.25, 0.5),))
        >>> later = segment.shifted(1.0, earliest_s=1.375)
        >>> later.t0, later.t1, later.words
        (1.375, 1.5, (Word(text='so', t0=1.375, t1=1.5),))
        """
        t0 = max(self.t0 + by_s, earliest_s)
        t1 = max(self.t1 + by_s, t0)
        words = tuple(word.shifted(by_s, t0) for word in self.words)
        return msgspec.structs.replace(self, t0=t0, t1=t1, words=words)


class AudioAccount(msgspec.Struct, gc=False):
    """Counts what happened to a source's samples since the session's start."""

    received: int = 0
    decoded: int = 0
    skipped: int = 0
    """Found to contain no speech, so not decoded."""
    dropped: int = 0

    @property
    def pending(self) -> int:
        """Samples that were received and not yet processed.

        >>> AudioAccount(received=10, decoded=6, skipped=1).pending
        3
        """
        return self.received - self.decoded - self.skipped - self.dropped


class ASRHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider reports about itself; the harness compares it with its measurements."""

    realtime_factor: float | None
    """Inference seconds per audio second; None before the first inference."""
    avg_infer_ms: float | None
    backlog_estimate: int
    """Chunks taken and not yet processed."""
    model_resident: bool
    last_error: str | None = None
    audio: dict[str, AudioAccount] = {}
    """By source name; a source without a name is "default"."""


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider's own options; each provider adds typed fields with defaults."""


class InferenceSpan(msgspec.Struct, frozen=True, gc=False):
    """One call of an engine: when it ran, on the trial's clock, and on how much audio."""

    source: AudioSource | None
    begin_s: float
    end_s: float
    window_s: float
    """Length of the decoded audio; more than the new audio where windows overlap."""


class Interruption(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A failure that was retried after a wait; times are on the trial's clock.

    The wait is reported but not subtracted from any figure.
    """

    source: AudioSource | None
    reason: str
    attempt: int
    """Number of attempts that had failed in a row."""
    begin_s: float
    end_s: float
    """When the next attempt began."""
    replayed_s: float = 0.0
    """Audio that was lost with a connection and sent again."""


class Observer:
    """Receives what a provider's engine does in a session; this base ignores it.

    Its methods may be called on any thread.
    """

    def inferred(self, span: InferenceSpan) -> None:
        """Receive an inference, after its end."""

    def interrupted(self, interruption: Interruption) -> None:
        """Receive a wait that a failure caused, after its end."""


NULL_OBSERVER = Observer()


class SessionConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The configuration of a session."""

    model: str
    """`embedded`, a name that the engine knows, or a path."""
    chunk_seconds: float = 2.0
    """Seconds of audio per chunk; the stream may change it at any time."""
    language: str = "en"
    observer: Observer = NULL_OBSERVER
    """Receives each inference and interruption of the session. It can't leave its process, so it
    is replaced by the default before a configuration is encoded."""


class ASRProvider(ABC):
    """A speech recogniser that stays loaded and serves sessions of one or more sources.

    Construction is cheap and imports no engine; `start_session` loads the model.

    Args:
        settings: The provider's own options; its defaults when None.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[ProviderSettings]] = ProviderSettings
    default_model: str = "embedded"
    clocks: ClassVar[frozenset[ClockKind]] = frozenset(ClockKind)
    """The clocks on which its figures are right; `WALL` alone if it waits for another process."""
    costs_money: ClassVar[bool] = False
    """Whether recognition is billed; such a provider is only measured when requested by name."""
    sharing: ClassVar[Sharing] = Sharing.TURNS
    """How a second source is served."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """The provider's requirements on the machine, with these settings."""
        return ()

    @property
    def is_available(self) -> bool:
        """Whether this machine meets all requirements of the provider."""
        return all(requirement.missing() is None for requirement in self.requires)

    def locate_model(self, model: str) -> Path | None:
        """Find a model's file or folder, downloading it first where its name means one; blocking.

        Returns:
            Its path; None for a provider whose models are not on this machine.

        Raises:
            ModelError: It is missing, damaged or can't be fetched.
            UnknownNameError: The engine has no model of that name.
        """
        return None

    @abstractmethod
    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """Load the model unless it is resident, and start a session.

        Returns:
            True when started; False when another session has to stop first.

        Raises:
            ModelError: The model is missing, damaged or of the wrong kind.
            UnavailableError: The provider lacks something on this machine.
        """

    @abstractmethod
    def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """Recognise the stream of one source until it ends; several sources may stream at once.

        Args:
            pcm_stream: Chunks of 16-bit little-endian mono PCM, of any length above zero.
            sample_rate: Must be 16 000.
            source: The source of the audio.

        Raises:
            AudioError: PCM that can't be used; text that was already recognised is yielded first.
            ProviderError: No session is running, the source is already streaming, or the engine
                failed.
        """

    @abstractmethod
    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """Decode a source's buffered audio and return its finals, which aren't yielded as well."""

    @abstractmethod
    async def health(self) -> ASRHealth:
        """Report the provider's state, at once."""

    @abstractmethod
    async def stop_session(self, session_id: str) -> None:
        """End the session within seconds, also in the middle of a stream; keeps the model."""

    @abstractmethod
    async def close(self) -> None:
        """Release the model and all other resources."""


Option = str | int | float | bool

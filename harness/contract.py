"""What every provider is, and what it hands over: the one contract of the project.

A provider is *resident*: its model is loaded by the first `start_session` and stays until
`close`. It holds no timing code; whoever drives it stamps arrivals.

* `transcribe_stream` yields **partials**, which may change, and **finals**, which never do. All
  segments with the same `segment_id` describe the same stretch of speech; the last is the final.
  Ids grow: once a stretch of speech is spoken of, those before it are settled.
* `t0` and `t1` are seconds of audio since the session's start; finals of a source follow one
  another without overlap.
* **Conservation**: at every moment, for every source,
  `received = decoded + skipped + dropped + pending`, to the sample.
* Leaving the iterator **cancels**; the provider can be used again at once.
* **Backpressure** is not pulling: a provider takes the next chunk when it can use it.
* PCM that can't be used raises `AudioError`; what was already recognised is yielded first.
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
    """Where audio comes from in a captioned meeting."""

    MIC = "mic"
    SYSTEM = "system"


class Sharing(StrEnum):
    """How many sources one loaded model serves, and so what becomes of a second source."""

    TURNS = "turns"
    """All of them: their inferences take turns, in the order in which they were asked for."""
    COPIES = "copies"
    """One: each source has a model, and a process, of its own. A further one is loaded when a
    further source begins, and stays. They compute at once."""
    SERVICE = "service"
    """Each has a connection of its own; what is shared behind it can't be seen."""


class Word(msgspec.Struct, frozen=True, gc=False):
    """One word; its times are seconds of audio since the session's start."""

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
    """What a provider says about one stretch of speech, so far or for good."""

    source: AudioSource | None
    segment_id: int
    """Which stretch of speech: a partial revises the one before it with the same id."""
    revision: int
    """0 for the first thing said about this stretch, then 1, 2, …"""
    is_final: bool
    text: str
    t0: float
    t1: float
    words: tuple[Word, ...] = ()
    """Word times, where the engine has them."""
    stable_words: int = 0
    """How many leading words the provider expects to keep. In a final, all of them."""

    def shifted(self, by_s: float, earliest_s: float = -math.inf) -> "ASRSegment":
        """Move the segment and its words in time, and cut off what would begin too early.

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
    """Where a source's samples went, since the session's start."""

    received: int = 0
    decoded: int = 0
    skipped: int = 0
    """Found to hold no speech, so never decoded."""
    dropped: int = 0

    @property
    def pending(self) -> int:
        """Samples that were received and not yet dealt with.

        >>> AudioAccount(received=10, decoded=6, skipped=1).pending
        3
        """
        return self.received - self.decoded - self.skipped - self.dropped


class ASRHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider does, in its own words; the harness checks them against what it measures."""

    realtime_factor: float | None
    """Inference seconds per audio second; None before the first inference."""
    avg_infer_ms: float | None
    backlog_estimate: int
    """Chunks taken and not yet dealt with."""
    model_resident: bool
    last_error: str | None = None
    audio: dict[str, AudioAccount] = {}
    """By source name; a source without a name is "default"."""


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A provider's own options; each provider adds typed fields with defaults."""


class InferenceSpan(msgspec.Struct, frozen=True, gc=False):
    """One call of an engine: when it ran, on the running clock, and on how much audio."""

    source: AudioSource | None
    begin_s: float
    end_s: float
    window_s: float
    """Length of the audio that was decoded; longer than what was new, where windows overlap."""


class Interruption(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something failed and was tried again after a wait; times are on the running clock.

    The wait is told, and taken out of no figure.
    """

    source: AudioSource | None
    reason: str
    attempt: int
    """How many attempts had failed in a row."""
    begin_s: float
    end_s: float
    """When it was tried again."""
    replayed_s: float = 0.0
    """Audio that was lost with a connection, and sent again."""


class Observer:
    """Learns what a provider's engine does in a session; this one ignores it.

    Its methods may be called on any thread.
    """

    def inferred(self, span: InferenceSpan) -> None:
        """Learn of an inference, after it."""

    def interrupted(self, interruption: Interruption) -> None:
        """Learn of a wait that a failure caused, after it."""


NULL_OBSERVER = Observer()


class SessionConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """What a session is started with."""

    model: str
    """`embedded`, a name that the engine knows, or a path."""
    chunk_seconds: float = 2.0
    """How much audio a chunk will carry; the stream may change it at any time."""
    language: str = "en"
    observer: Observer = NULL_OBSERVER
    """Where the provider reports each inference and interruption of the session; stays in its
    process, so a configuration is only encoded without one."""


class ASRProvider(ABC):
    """A speech recogniser that stays loaded and serves sessions of one or more sources.

    Making one is cheap and imports no engine; `start_session` does the work.

    Args:
        settings: The provider's own options; its defaults when None.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[ProviderSettings]] = ProviderSettings
    default_model: str = "embedded"
    clocks: ClassVar[frozenset[ClockKind]] = frozenset(ClockKind)
    """The clocks on which its figures are true; `WALL` alone if it waits for another process."""
    costs_money: ClassVar[bool] = False
    """Whether audio is paid for; such a provider is only measured when it is asked for by name."""
    sharing: ClassVar[Sharing] = Sharing.TURNS
    """What becomes of a second source."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """What the provider needs of the machine, with these settings."""
        return ()

    @property
    def is_available(self) -> bool:
        """Whether everything that the provider needs is on this machine."""
        return all(requirement.missing() is None for requirement in self.requires)

    def locate_model(self, model: str) -> Path | None:
        """Find a model's file or folder, fetching it first where the name asks for that; blocking.

        Returns:
            Where it is; None for a provider whose models are not on this machine.

        Raises:
            ModelError: It is missing, damaged or can't be fetched.
            UnknownNameError: The engine has no model of that name.
        """
        return None

    @abstractmethod
    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """Load the model unless it is resident, and get ready for a session.

        Returns:
            True when ready; False when another session has to stop first.

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
        """Recognise a stream of one source until it ends; several sources may run at once.

        Args:
            pcm_stream: Chunks of 16-bit little-endian mono PCM, of any length above zero.
            sample_rate: Must be 16 000.
            source: Whose audio it is.

        Raises:
            AudioError: PCM that can't be used; after everything already recognised was yielded.
            ProviderError: No session is running, the source is already streaming, or the engine
                failed.
        """

    @abstractmethod
    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """Decode what is buffered for a source and return it as finals; they aren't yielded too."""

    @abstractmethod
    async def health(self) -> ASRHealth:
        """Say how it goes; takes no longer than a message."""

    @abstractmethod
    async def stop_session(self, session_id: str) -> None:
        """End the session within seconds, whatever is going on; the model stays resident."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the model and of everything else."""


Option = str | int | float | bool

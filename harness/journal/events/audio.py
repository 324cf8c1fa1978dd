"""Events of a source's audio: capture, filter, queue and provider."""

from harness.contract import AudioSource
from harness.journal.events.base import Duration, Event, Moment


class SourceEnded(Event, frozen=True, tag="source_ended"):
    """A source played to its end."""

    source: AudioSource
    samples: int
    at_s: Moment
    late_p99_s: Duration
    """Delay between the capture of a buffer's last sample and its delivery: the harness' error."""
    late_max_s: Duration


class SpeechScored(Event, frozen=True, tag="speech_scored"):
    """The speech probabilities that the filter before the queue computed."""

    source: AudioSource
    first_sample: int
    """Of the first window; the others follow without a gap."""
    percent: tuple[int, ...]
    """One probability per window."""


class Skipped(Event, frozen=True, tag="skipped"):
    """The filter before the queue removed audio without speech."""

    source: AudioSource
    first_sample: int
    samples: int
    at_s: Moment


class VadUsed(Event, frozen=True, tag="vad_used"):
    """The CPU time of the filter before the queue, for a whole source."""

    source: AudioSource
    cpu_s: Duration
    audio_s: Duration


class Queued(Event, frozen=True, tag="queued"):
    """A chunk was put in the queue."""

    source: AudioSource
    chunk: int
    first_sample: int
    samples: int
    due_s: Moment
    """When its last sample was captured; the origin of lateness and latency."""
    at_s: Moment
    depth: int
    """Chunks in the queue, this one included."""


class Backpressure(Event, frozen=True, tag="backpressure"):
    """The queue reported to the source that it fills up, or that it is empty again."""

    source: AudioSource
    at_s: Moment
    level: float
    """Share of the queue that is full."""
    reason: str


class Dropped(Event, frozen=True, tag="dropped"):
    """The oldest chunk of a full queue was dropped."""

    source: AudioSource
    chunk: int
    at_s: Moment


class ChunkTaken(Event, frozen=True, tag="chunk_taken"):
    """The provider took a chunk."""

    source: AudioSource
    chunk: int
    at_s: Moment
    depth: int
    """Chunks left in the queue."""


class ChunkDone(Event, frozen=True, tag="chunk_done"):
    """The provider asked for the next chunk."""

    source: AudioSource
    chunk: int
    at_s: Moment


class BeepFound(Event, frozen=True, tag="beep_found"):
    """The position of a marker's beep in the audio that was handed to the provider."""

    source: AudioSource
    utterance: int
    """Number of the source's utterance that follows it, from 0."""
    sample: int | None
    """Its first sample; None when it wasn't found."""

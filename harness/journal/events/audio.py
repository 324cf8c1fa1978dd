"""Events of a source's audio: from capture over the filter and the queue to the provider."""

from harness.contract import AudioSource
from harness.journal.events.base import Duration, Event, Moment


class SourceEnded(Event, frozen=True, tag="source_ended"):
    """A source has played to its end."""

    source: AudioSource
    samples: int
    at_s: Moment
    late_p99_s: Duration
    """How late buffers were handed on after their last sample was captured: the harness' error."""
    late_max_s: Duration


class SpeechScored(Event, frozen=True, tag="speech_scored"):
    """How likely the filter before the queue took each window of audio for speech."""

    source: AudioSource
    first_sample: int
    """Of the first window; the others follow without a gap."""
    percent: tuple[int, ...]


class Skipped(Event, frozen=True, tag="skipped"):
    """Audio without speech, which the filter before the queue took out."""

    source: AudioSource
    first_sample: int
    samples: int
    at_s: Moment


class VadUsed(Event, frozen=True, tag="vad_used"):
    """What the filter before the queue cost a source, from beginning to end."""

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
    """When its last sample was captured: what lateness and latency are counted from."""
    at_s: Moment
    depth: int
    """Chunks in the queue, this one included."""


class Backpressure(Event, frozen=True, tag="backpressure"):
    """The queue told the source that it fills up, or that it is empty again."""

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
    """The provider came back for the next chunk."""

    source: AudioSource
    chunk: int
    at_s: Moment


class BeepFound(Event, frozen=True, tag="beep_found"):
    """Where a marker's beep was found in the audio that the provider was given."""

    source: AudioSource
    utterance: int
    """Which of the source's utterances it goes before, from 0."""
    sample: int | None
    """Its first sample; None when it wasn't there."""

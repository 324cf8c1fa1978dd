"""Events of recognition: what was said, what the engine did, and how it was degraded."""

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.journal.events.base import Duration, Event, Moment


class Utterance(Event, frozen=True, tag="utterance"):
    """Ground truth: what was said, and when its samples were captured.

    Times are seconds of the trial's clock since the source's start; where the source's own clock
    runs true, that is its audio time.
    """

    source: AudioSource
    utterance_id: str
    t0: float
    t1: float
    text: str
    words: tuple[Word, ...] | None
    """None where the corpus has no word times."""
    shared: int | None = None
    """Its number among the utterances that all sources heard at the same moment."""
    beep_sample: int | None = None
    """The first sample of the beep before it, where the scenario has markers."""


class Inferred(Event, frozen=True, tag="inferred"):
    """The engine ran; see `harness.contract.InferenceSpan`."""

    source: AudioSource | None
    begin_s: Moment
    end_s: Moment
    window_s: Duration


class Interrupted(Event, frozen=True, tag="interrupted"):
    """Something failed and was tried again; see `harness.contract.Interruption`."""

    source: AudioSource | None
    reason: str
    attempt: int
    begin_s: Moment
    end_s: Moment
    replayed_s: Duration


class SegmentArrived(Event, frozen=True, tag="segment_arrived"):
    """A partial or a final arrived."""

    at_s: Moment
    segment: ASRSegment


class ClientMetrics(Event, frozen=True, tag="client_metrics"):
    """What a client was told over the wire about how it goes."""

    at_s: Moment
    rtf: float | None
    """Of the last seconds, as the server measured it."""
    health: ASRHealth


class LadderMoved(Event, frozen=True, tag="ladder_moved"):
    """An overloaded session was degraded a step further, or less far; see `harness.ladder`."""

    at_s: Moment
    """When it was decided."""
    before: str
    after: str
    cause: str
    rtf: float | None
    """Of the last seconds, when it was decided."""
    message: str
    """For people."""
    actions: tuple[str, ...]
    """What was done, or undone, and with what outcome."""
    took_s: Duration
    """How long doing it took."""

"""Events of recognition: utterances, inferences, segments and changes of the degrade ladder."""

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.journal.events.base import Duration, Event, Moment


class Utterance(Event, frozen=True, tag="utterance"):
    """Ground truth: a played utterance, and when its samples were captured.

    Times are seconds of the trial's clock since the source's start; if the source's own clock is
    accurate, they equal its audio time.
    """

    source: AudioSource
    utterance_id: str
    t0: float
    t1: float
    text: str
    words: tuple[Word, ...] | None
    """None where the corpus has no word times."""
    shared: int | None = None
    """Its number among the utterances that all sources play at the same moment."""
    beep_sample: int | None = None
    """The first sample of the beep before it, where the scenario has markers."""


class Inferred(Event, frozen=True, tag="inferred"):
    """The engine ran; see `harness.contract.InferenceSpan`."""

    source: AudioSource | None
    begin_s: Moment
    end_s: Moment
    window_s: Duration


class Interrupted(Event, frozen=True, tag="interrupted"):
    """Something failed and was retried; see `harness.contract.Interruption`."""

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
    """The metrics that the live server sent to its client."""

    at_s: Moment
    rtf: float | None
    """Of the last seconds, as the server measured it."""
    health: ASRHealth


class LadderMoved(Event, frozen=True, tag="ladder_moved"):
    """The degrade ladder changed a session's level; see `harness.ladder`."""

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
    """The actions taken or undone, with their results."""
    took_s: Duration
    """How long the actions took."""

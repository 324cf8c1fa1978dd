"""What is written down while a trial runs; every figure is computed from these and nothing else.

All times are seconds on the trial's clock since its first sample was captured, so they are
comparable with the audio's own time. Field names are the columns of the journal.
"""

from enum import StrEnum
from typing import Any

import msgspec

from harness.contract import ASRHealth, ASRSegment, AudioSource, Interruption, Word
from harness.machine.profile import MachineProfile
from harness.specs.trial import TrialSpec, TrialStatus

SCHEMA = 2
"""Changes when an older journal can no longer be read as this one says."""


class ResidencyPart(StrEnum):
    """What a chunk of the residency probe is there for."""

    STEADY = "steady"
    """Speech never heard before."""
    AGAIN = "again"
    """The very samples of an earlier chunk."""
    ALTERED = "altered"
    """The same speech, a little louder and noisier."""
    WARM_UP = "warm_up"
    """Before the two below; not judged."""
    COPY = "copy"
    """With a copy of the model's file, which is there."""
    VANISHED = "vanished"
    """The same chunks as in `COPY`, after that file has gone."""


class SideEffects(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What was noted since the process began."""

    spawns: int = 0
    """Processes that were started."""
    files_created: int = 0
    """Files that were opened to be made, if need be, and written."""
    references_read: int = 0
    """Looks into the corpus, whose transcripts a recogniser must not know."""


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    """Base of all events; `kind` in the journal tells them apart."""


class TrialStarted(Event, frozen=True, tag="trial_started"):
    """A trial begins."""

    key: str
    spec: TrialSpec


class Loaded(Event, frozen=True, tag="loaded"):
    """The worker's provider answered for the first time; on the wall clock, always.

    Each trial of the worker repeats it, since its model was loaded only once.
    """

    spawn_s: float
    """From starting the process to its first word: the interpreter, not the provider."""
    load_s: float
    """Importing the engine and loading the model."""
    probe_s: float | None
    """From the first chunk of a first utterance to its first text; None if it got none."""
    probe_text: str
    probe_inference_s: tuple[float, ...]
    """Of each inference of that utterance, in order; the first one ever is the first."""
    probe_window_s: tuple[float, ...]
    interruptions: tuple[Interruption, ...] = ()
    """What failed and was tried again until then."""


class MachineSeen(Event, frozen=True, tag="machine_seen"):
    """The machine that the trial runs on; each trial of a worker repeats it."""

    machine: MachineProfile


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


class Queued(Event, frozen=True, tag="queued"):
    """A chunk was put in the queue."""

    source: AudioSource
    chunk: int
    first_sample: int
    samples: int
    due_s: float
    """When its last sample was captured: what lateness and latency are counted from."""
    at_s: float
    depth: int
    """Chunks in the queue, this one included."""


class Skipped(Event, frozen=True, tag="skipped"):
    """Audio without speech, which the filter before the queue took out."""

    source: AudioSource
    first_sample: int
    samples: int
    at_s: float


class SpeechScored(Event, frozen=True, tag="speech_scored"):
    """How likely the filter before the queue took each window of audio for speech."""

    source: AudioSource
    first_sample: int
    """Of the first window; the others follow without a gap."""
    percent: tuple[int, ...]


class VadUsed(Event, frozen=True, tag="vad_used"):
    """What the filter before the queue cost a source, from beginning to end."""

    source: AudioSource
    cpu_s: float
    audio_s: float


class BeepFound(Event, frozen=True, tag="beep_found"):
    """Where a marker's beep was found in the audio that the provider was given."""

    source: AudioSource
    utterance: int
    """Which of the source's utterances it goes before, from 0."""
    sample: int | None
    """Its first sample; None when it wasn't there."""


class SourceEnded(Event, frozen=True, tag="source_ended"):
    """A source has played to its end."""

    source: AudioSource
    samples: int
    at_s: float
    late_p99_s: float
    """How late buffers were handed on after their last sample was captured: the harness' error."""
    late_max_s: float


class Dropped(Event, frozen=True, tag="dropped"):
    """The oldest chunk of a full queue was dropped."""

    source: AudioSource
    chunk: int
    at_s: float


class ChunkTaken(Event, frozen=True, tag="chunk_taken"):
    """The provider took a chunk."""

    source: AudioSource
    chunk: int
    at_s: float
    depth: int
    """Chunks left in the queue."""


class ChunkDone(Event, frozen=True, tag="chunk_done"):
    """The provider came back for the next chunk."""

    source: AudioSource
    chunk: int
    at_s: float


class Inferred(Event, frozen=True, tag="inferred"):
    """The engine ran; see `harness.contract.InferenceSpan`."""

    source: AudioSource | None
    begin_s: float
    end_s: float
    window_s: float


class Interrupted(Event, frozen=True, tag="interrupted"):
    """Something failed and was tried again; see `harness.contract.Interruption`."""

    source: AudioSource | None
    reason: str
    attempt: int
    begin_s: float
    end_s: float
    replayed_s: float


class SegmentArrived(Event, frozen=True, tag="segment_arrived"):
    """A partial or a final arrived."""

    at_s: float
    segment: ASRSegment


class Backpressure(Event, frozen=True, tag="backpressure"):
    """The queue told the source that it fills up, or that it is empty again."""

    source: AudioSource
    at_s: float
    level: float
    """Share of the queue that is full."""
    reason: str


class Sampled(Event, frozen=True, tag="sampled"):
    """The state of things, once a second."""

    at_s: float
    health: ASRHealth
    handed_over: dict[str, int]
    """Samples that the provider has taken, by source."""
    cpu_s: float
    """CPU seconds of the worker and its children since it started."""
    rss_bytes: int
    threads: int
    open_files: int | None
    """None where the system doesn't tell."""
    uss_bytes: int | None = None
    """Memory that belongs to the process tree alone; asked for now and then, since it is slow."""
    detached: int = 0
    """Processes that the worker started and that have left its process tree."""
    detached_cpu_s: float = 0.0
    stall_s: float = 0.0
    """The longest time since the sample before in which the event loop could not turn."""
    side_effects: SideEffects = SideEffects()
    """What the worker has done since it started."""


class ResidencyChunk(Event, frozen=True, tag="residency_chunk"):
    """One chunk of the residency probe: a short stream of its own, and what it took."""

    part: ResidencyPart
    repeat: int
    index: int
    """Its place in its part; the lengths of the parts' chunks are the same at each repeat."""
    audio_s: float
    took_s: float
    """From handing it over to the end of the answer, on the trial's clock."""
    inference_s: float
    """What the engine took of that, as far as the provider tells."""
    text: str
    read_bytes: int | None
    """Bytes that the process tree read meanwhile; None where the system doesn't tell."""
    spawns: int
    files_created: int
    rss_bytes: int
    error: str = ""


class ResidencyEnded(Event, frozen=True, tag="residency_ended"):
    """What the probe knows of the model."""

    model_bytes: int | None
    """None where it has no file on this machine."""
    vanish: str = ""
    """Why the vanish test was left out, if it was."""


class Surroundings(Event, frozen=True, tag="surroundings"):
    """How the machine does beside the trial, once a second by the wall's clock at most.

    Counters begin at 0 with the trial's first one. None where the system doesn't tell.
    """

    at_s: float
    wall_s: float
    """On the wall's clock, which doesn't stop while the trial's skips."""
    suspended_s: float
    """How long the machine slept."""
    cores: int
    """Logical, of those that this process may use; the next two are summed over them."""
    others_cpu_s: float
    """CPU seconds of all other programs, the system's own included."""
    idle_cpu_s: float
    on_battery: bool | None
    throttle_count: int | None
    """How often heat slowed a processor down (Linux)."""
    thermal_pressure: int | None
    """How much heat slows the machine down, from 0 to 4 (macOS)."""


class ClientMetrics(Event, frozen=True, tag="client_metrics"):
    """What a client was told over the wire about how it goes."""

    at_s: float
    rtf: float | None
    """Of the last seconds, as the server measured it."""
    health: ASRHealth


class LadderMoved(Event, frozen=True, tag="ladder_moved"):
    """An overloaded session was degraded a step further, or less far; see `harness.ladder`."""

    at_s: float
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
    took_s: float
    """How long doing it took."""


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """Every source was played and answered, and the session stopped."""

    at_s: float
    stop_s: float
    """How long `stop_session` took."""


class RuleChecked(Event, frozen=True, tag="rule_checked"):
    """One rule of the contract was tried on the provider."""

    check: str
    passed: bool
    detail: str


class TrialEnded(Event, frozen=True, tag="trial_ended"):
    """A trial is over; a trial without this event never happened."""

    status: TrialStatus
    reason: str = ""
    wall_s: float = 0.0


AnyEvent = (
    TrialStarted
    | Loaded
    | MachineSeen
    | Utterance
    | Queued
    | Skipped
    | SpeechScored
    | VadUsed
    | BeepFound
    | SourceEnded
    | Dropped
    | ChunkTaken
    | ChunkDone
    | Inferred
    | Interrupted
    | SegmentArrived
    | Backpressure
    | Sampled
    | Surroundings
    | ClientMetrics
    | LadderMoved
    | ResidencyChunk
    | ResidencyEnded
    | SessionEnded
    | RuleChecked
    | TrialEnded
)


def encode(event: Event) -> bytes:
    """One event as one line of JSON, without the line's end."""
    return msgspec.json.encode(event)


def to_plain(event: Event) -> dict[str, Any]:
    """One event as plain data, for tables."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    return plain

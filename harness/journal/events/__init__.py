"""Defines the events of a trial, from which alone every figure is computed.

All times are seconds on the trial's clock since its first sample was captured, so they are
comparable with the audio's own time. Field names are the columns of the journal.
"""

from typing import Any

import msgspec

from harness.journal.events.activities import (
    ResidencyChunk,
    ResidencyEnded,
    ResidencyPart,
    RuleChecked,
)
from harness.journal.events.audio import (
    Backpressure,
    BeepFound,
    ChunkDone,
    ChunkTaken,
    Dropped,
    Queued,
    Skipped,
    SourceEnded,
    SpeechScored,
    VadUsed,
)
from harness.journal.events.base import Duration, Event, Moment
from harness.journal.events.machine import MachineSeen, Sampled, SideEffects, Surroundings
from harness.journal.events.recognition import (
    ClientMetrics,
    Inferred,
    Interrupted,
    LadderMoved,
    SegmentArrived,
    Utterance,
)
from harness.journal.events.trial import Loaded, SessionEnded, TrialEnded, TrialStarted

__all__ = [
    "SCHEMA",
    "AnyEvent",
    "Backpressure",
    "BeepFound",
    "ChunkDone",
    "ChunkTaken",
    "ClientMetrics",
    "Dropped",
    "Duration",
    "Event",
    "Inferred",
    "Interrupted",
    "LadderMoved",
    "Loaded",
    "MachineSeen",
    "Moment",
    "Queued",
    "ResidencyChunk",
    "ResidencyEnded",
    "ResidencyPart",
    "RuleChecked",
    "Sampled",
    "SegmentArrived",
    "SessionEnded",
    "SideEffects",
    "Skipped",
    "SourceEnded",
    "SpeechScored",
    "Surroundings",
    "TrialEnded",
    "TrialStarted",
    "Utterance",
    "VadUsed",
    "encode",
    "to_plain",
]

SCHEMA = 2
"""Increases when the events change so that older journals can't be read."""

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
    """Encode an event as one line of JSON, without a line feed."""
    return msgspec.json.encode(event)


def to_plain(event: Event) -> dict[str, Any]:
    """Convert an event to plain data, for tables."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    return plain

"""A trial's events, put in the order that metrics need them in."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment, AudioSource
from harness.journal.events import (
    ChunkDone,
    ChunkTaken,
    Dropped,
    Event,
    Inferred,
    Queued,
    SegmentArrived,
    Skipped,
    Utterance,
)
from harness.specs.trial import TrialSpec

E = TypeVar("E", bound=Event)
T = TypeVar("T")


@dataclass(slots=True)
class ChunkRecord:
    """What became of one chunk; times are seconds on the trial's clock."""

    source: AudioSource
    index: int
    audio_s: float
    end_s: float
    """In seconds of its source's audio."""
    due_s: float
    queued_s: float
    is_tail: bool = False
    """The last chunk of its source, cut short by the stream's end."""
    dropped: bool = False
    begun_s: float | None = None
    finished_s: float | None = None
    inferences: list[Inferred] = field(default_factory=list)

    @property
    def inference_s(self) -> float:
        """Seconds the engine ran while this chunk was in hand; waiting isn't in it."""
        if not self.inferences:
            return 0.0
        return sum(inference.end_s - inference.begin_s for inference in self.inferences)

    @property
    def rtf(self) -> float:
        """Inference seconds per audio second."""
        return self.inference_s / self.audio_s


class TrialLog:
    """One trial, read from the journal.

    Args:
        spec: What was measured.
        events: All events between the trial's start and end, in order.
    """

    def __init__(self, spec: TrialSpec, events: Sequence[Event]) -> None:
        self.spec = spec
        self._by_type: dict[type[Event], list[Event]] = defaultdict(list)
        self._kept: dict[Hashable, Any] = {}
        for event in events:
            self._by_type[type(event)].append(event)

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind, in order."""
        return self._by_type[kind]  # type: ignore[return-value]

    @cached_property
    def sources(self) -> list[AudioSource]:
        """The scenario's sources."""
        return [source.name for source in self.spec.scenario.sources]

    @cached_property
    def start_s(self) -> dict[AudioSource, float]:
        """When each source's audio begins on the trial's clock."""
        return {source.name: source.start_s for source in self.spec.scenario.sources}

    @cached_property
    def audio_s(self) -> float:
        """Audio played, all sources together, whatever became of it."""
        queued = sum(event.samples for event in self.of(Queued))
        return (queued + sum(event.samples for event in self.of(Skipped))) / SAMPLE_RATE_HZ

    @cached_property
    def chunks(self) -> list[ChunkRecord]:
        """All chunks that were queued, by source and in order, with the inferences each caused."""
        by_source = sorted(self.of(Queued), key=lambda queued: (queued.source, queued.chunk))
        records = {
            (queued.source, queued.chunk): ChunkRecord(
                queued.source,
                queued.chunk,
                queued.samples / SAMPLE_RATE_HZ,
                (queued.first_sample + queued.samples) / SAMPLE_RATE_HZ,
                queued.due_s,
                queued.at_s,
            )
            for queued in by_source
        }
        for dropped in self.of(Dropped):
            records[dropped.source, dropped.chunk].dropped = True
        for finished in self.of(ChunkDone):
            records[finished.source, finished.chunk].finished_s = finished.at_s
        taken: dict[AudioSource | None, list[ChunkRecord]] = defaultdict(list)
        taken_s: dict[AudioSource | None, list[float]] = defaultdict(list)
        for begun in self.of(ChunkTaken):
            record = records[begun.source, begun.chunk]
            record.begun_s = begun.at_s
            taken[begun.source].append(record)
            taken_s[begun.source].append(begun.at_s)
        for inferred in self.of(Inferred):
            at = bisect_right(taken_s[inferred.source], inferred.begin_s)
            if at:
                taken[inferred.source][at - 1].inferences.append(inferred)
        last = {record.source: record for record in records.values()}
        for record in last.values():
            record.is_tail = record.audio_s < self.spec.chunk_seconds
        return list(records.values())

    @cached_property
    def full_chunks(self) -> list[ChunkRecord]:
        """The chunks of full size, which can be compared with one another."""
        longest_s = max((chunk.audio_s for chunk in self.chunks), default=0.0)
        return [chunk for chunk in self.chunks if chunk.audio_s == longest_s]

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What several metrics need, computed for the first of them and kept with the log."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]  # type: ignore[no-any-return]

    def segments(self, source: AudioSource) -> list[tuple[float, ASRSegment]]:
        """What was said about a source, with arrival times, in order of arrival."""
        return [(said.at_s, said.segment) for said in self.of(SegmentArrived)
                if said.segment.source == source]  # fmt: skip

    def finals(self, source: AudioSource) -> list[tuple[float, ASRSegment]]:
        """The finals about a source, with arrival times."""
        return [(at_s, segment) for at_s, segment in self.segments(source) if segment.is_final]

    def onset_s(self, source: AudioSource) -> float | None:
        """When the first word was said, in seconds of audio; None where nothing was."""
        for utterance in self.truth(source):
            if utterance.words:
                return utterance.words[0].t0
            if utterance.words is None and utterance.text.strip():
                return utterance.t0
        return None

    def truth(self, source: AudioSource) -> list[Utterance]:
        """What was really said on a source."""
        return [utterance for utterance in self.of(Utterance) if utterance.source == source]

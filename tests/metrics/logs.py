"""Trials made by hand: a journal's events, with times that are easy to add up."""

from collections.abc import Sequence
from itertools import count

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRHealth, ASRSegment, AudioAccount, AudioSource, Word
from harness.journal.events import (
    ChunkDone,
    ChunkTaken,
    Dropped,
    Event,
    Inferred,
    Loaded,
    Queued,
    Sampled,
    SegmentArrived,
    Utterance,
)
from harness.metrics import TrialLog
from harness.specs.scenario import Scenario, SourceScript
from harness.specs.trial import TrialSpec

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


def log_of(*events: Event, starts_s: dict[AudioSource, float] | None = None) -> TrialLog:
    """A trial with these events; one source that begins at 0, unless others are given."""
    sources = tuple(
        SourceScript(name=name, start_s=start_s, gap_s=(0.0, 0.0))
        for name, start_s in (starts_s or {MIC: 0.0}).items()
    )
    spec = TrialSpec(
        provider="by_hand",
        model="embedded",
        chunk_seconds=1.0,
        scenario=Scenario(title="by hand", duration_s=60.0, sources=sources),
        corpus="embedded",
        clock=ClockKind.VIRTUAL,
    )
    return TrialLog(spec, events)


def samples(length_s: float) -> int:
    return round(length_s * SAMPLE_RATE_HZ)


def chunk(
    index: int,
    end_s: float,
    costs_s: Sequence[float] = (0.1,),
    *,
    length_s: float = 1.0,
    source: AudioSource = MIC,
    start_s: float = 0.0,
) -> list[Event]:
    """A chunk that ends at `end_s`, is taken at once, and decoded in these calls, one by one."""
    end = samples(end_s - start_s)
    queued = Queued(
        source=source, chunk=index, first_sample=end - samples(length_s),
        samples=samples(length_s), due_s=end_s, at_s=end_s, depth=1,
    )  # fmt: skip
    events: list[Event] = [queued, ChunkTaken(source=source, chunk=index, at_s=end_s, depth=0)]
    at_s = end_s
    for cost_s in costs_s:
        events.append(Inferred(source=source, begin_s=at_s, end_s=at_s + cost_s, window_s=1.0))
        at_s += cost_s
    return [*events, ChunkDone(source=source, chunk=index, at_s=at_s)]


def chunks(costs_s: Sequence[float], length_s: float = 1.0) -> list[Event]:
    """Chunks of one length with one inference each."""
    return [
        event
        for index, cost_s in enumerate(costs_s)
        for event in chunk(index, (index + 1) * length_s, (cost_s,), length_s=length_s)
    ]


def dropped(index: int, end_s: float, length_s: float = 1.0) -> list[Event]:
    return [
        Queued(
            source=MIC, chunk=index, first_sample=samples(end_s - length_s),
            samples=samples(length_s), due_s=end_s, at_s=end_s, depth=1,
        ),
        Dropped(source=MIC, chunk=index, at_s=end_s),
    ]  # fmt: skip


def spoken(text: str, begin_s: float = 0.0, source: AudioSource = MIC) -> Utterance:
    """An utterance whose words take half a second each, without gaps."""
    words = tuple(
        Word(word, begin_s + 0.5 * at, begin_s + 0.5 * (at + 1))
        for at, word in enumerate(text.split())
    )
    end_s = words[-1].t1 if words else begin_s
    return Utterance(
        source=source, utterance_id=f"at {begin_s}", t0=begin_s, t1=end_s, text=text, words=words
    )


def said(
    at_s: float,
    text: str,
    segment_id: int = 0,
    *,
    final: bool = False,
    source: AudioSource = MIC,
    stable: int = 0,
    t0: float = 0.0,
    t1: float = 0.0,
) -> SegmentArrived:
    words = tuple(Word(word, t0, t1) for word in text.split())
    segment = ASRSegment(
        source=source, segment_id=segment_id, revision=next(_REVISIONS), is_final=final,
        text=text, t0=t0, t1=t1, words=words, stable_words=stable,
    )  # fmt: skip
    return SegmentArrived(at_s=at_s, segment=segment)


_REVISIONS = count()


def loaded(
    load_s: float = 1.0,
    probe_s: float | None = 0.5,
    probe_inference_s: tuple[float, ...] = (0.1,),
    probe_window_s: tuple[float, ...] = (1.0,),
) -> Loaded:
    return Loaded(
        spawn_s=0.3,
        load_s=load_s,
        probe_s=probe_s,
        probe_text="open",
        probe_inference_s=probe_inference_s,
        probe_window_s=probe_window_s,
    )


def sampled(
    at_s: float,
    accounts: dict[str, AudioAccount] | None = None,
    handed_over: dict[str, int] | None = None,
    cpu_s: float = 0.0,
) -> Sampled:
    health = ASRHealth(
        realtime_factor=None, avg_infer_ms=None, backlog_estimate=0, model_resident=True,
        audio=accounts or {},
    )  # fmt: skip
    return Sampled(
        at_s=at_s, health=health, handed_over=handed_over or {}, cpu_s=cpu_s, rss_bytes=0,
        threads=1, open_files=None,
    )  # fmt: skip

"""Finds the samples that decide a verdict, with their lines in the journal."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter

from harness.journal.events import Dropped, Event, Inferred, Queued, SegmentArrived, Utterance
from harness.metrics.alignment import align
from harness.support.durations import clock_time
from harness.verdicts.evaluate import TrialResult
from reports.formatting import number, with_unit

MAX = 8
Found = tuple[str, str, list[Event]]
"""A sample's value, its description, and its events."""
Finding = tuple[list[Found], int]
"""The worst samples, worst first, and the number of all."""


@dataclass(frozen=True)
class Sample:
    """One observation behind a verdict."""

    value: str
    what: str
    lines: str
    """Lines of the journal, such as "12, 14"."""


@dataclass(frozen=True)
class Evidence:
    """The worst observations, and the journal lines of all."""

    samples: list[Sample]
    more: int
    """Number of observations that aren't listed."""
    lines: str
    """The lines of the whole trial."""


def evidence_of(result: TrialResult, metrics: Sequence[str]) -> dict[str, Evidence]:
    """Return the evidence for figures of a trial, by metric.

    Args:
        result: The trial.
        metrics: The metrics with thresholds.
    """
    nothing: Finding = ([], 0)
    found = {metric: FINDERS[metric](result) if metric in FINDERS else nothing
             for metric in metrics}  # fmt: skip
    lines = _lines_of(result, [event for worst, _ in found.values()
                               for _, _, events in worst for event in events])  # fmt: skip
    first = result.record.line
    last = first + len(result.record.events)
    return {
        metric: Evidence(
            [Sample(value, what, ", ".join(str(lines[id(event)]) for event in events))
             for value, what, events in worst],
            count - len(worst),
            f"{first} to {last}",
        )
        for metric, (worst, count) in found.items()
    }  # fmt: skip


def _lines_of(result: TrialResult, events: Sequence[Event]) -> dict[int, int]:
    wanted = {id(event) for event in events}
    return {id(event): line for line, event in enumerate(result.record.events,
            result.record.line + 1) if id(event) in wanted}  # fmt: skip


def _slow_chunks(result: TrialResult) -> Finding:
    decoded = [chunk for chunk in result.log.chunks if chunk.inferences and not chunk.is_tail]
    worst = nlargest(MAX, decoded, key=lambda chunk: chunk.rtf)
    return [
        (number(chunk.rtf), f"{chunk.source}, chunk {chunk.index}, to {clock_time(chunk.due_s)}",
         list(chunk.inferences))
        for chunk in worst
    ], len(decoded)  # fmt: skip


def _drops(result: TrialResult) -> Finding:
    drops = result.log.of(Dropped)
    return [
        ("dropped", f"{event.source}, chunk {event.chunk}, at {clock_time(event.at_s)}", [event])
        for event in drops[:MAX]
    ], len(drops)


def _late_chunks(result: TrialResult) -> Finding:
    queued = result.log.of(Queued)
    worst = nlargest(MAX, queued, key=lambda event: event.depth)
    return [(number(event.depth), f"{event.source}, at {clock_time(event.at_s)}", [event])
            for event in worst], len(queued)  # fmt: skip


def _late_words(result: TrialResult) -> Finding:
    log, words = result.log, []
    for source in log.sources:
        start_s, alignment = log.start_s[source], align(log, source)
        for word, match in zip(alignment.spoken, alignment.matches, strict=True):
            if word.start_s is not None and word.end_s is not None:
                begun_s, spoken_s = start_s + word.start_s, start_s + word.end_s
                shown_s = math.inf if match is None else match.first_s(begun_s)
                words.append((shown_s - spoken_s, spoken_s, source, word, shown_s))
    found: list[Found] = []
    for late_s, spoken_s, source, word, shown_s in nlargest(MAX, words, key=itemgetter(0)):
        events: list[Event] = [log.truth(source)[word.utterance]]
        events += [event for event in log.of(SegmentArrived) if event.at_s == shown_s][:1]
        value = "never" if math.isinf(late_s) else with_unit(late_s, "s")
        found.append((value, f"“{word.token}”, spoken at {clock_time(spoken_s)}", events))
    return found, len(words)


def _wrong_utterances(result: TrialResult) -> Finding:
    log = result.log
    wrong: list[tuple[int, Utterance]] = []
    for source in log.sources:
        errors = align(log, source).errors
        wrong += [(count, utterance)
                  for count, utterance in zip(errors, log.truth(source), strict=True)
                  if count]  # fmt: skip
    worst = nlargest(MAX, wrong, key=itemgetter(0))
    return [(f"{count} wrong", f"“{utterance.text}”, at {clock_time(utterance.t0)}", [utterance])
            for count, utterance in worst], len(wrong)  # fmt: skip


def _inferences(result: TrialResult) -> Finding:
    spans = result.log.of(Inferred)
    worst = nlargest(MAX, spans, key=lambda event: event.end_s - event.begin_s)
    return [
        (with_unit(event.end_s - event.begin_s, "s"),
         f"on {with_unit(event.window_s, 's')} of audio, at {clock_time(event.begin_s)}", [event])
        for event in worst
    ], len(spans)  # fmt: skip


FINDERS: dict[str, Callable[[TrialResult], Finding]] = {
    "rtf": _slow_chunks,
    "speed": _slow_chunks,
    "dropped_chunks": _drops,
    "queue_depth": _late_chunks,
    "word_emission_latency": _late_words,
    "wer": _wrong_utterances,
    "cer": _wrong_utterances,
    "residency_slope": _inferences,
    "first_vs_steady": _inferences,
}
"""Functions by metric; for other metrics the page only names the trial's lines."""

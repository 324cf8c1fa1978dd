"""What stands behind a verdict: the samples that decide it, with their lines in the journal."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.evaluate import TrialResult
from harness.events import Dropped, Event, Inferred, Queued, Said, Utterance
from harness.metrics.alignment import align
from reports.numbers import number, time_of, with_unit

MOST = 8
Found = tuple[str, str, list[Event]]
"""A sample's value, what it is, and the events that it comes from."""


@dataclass(frozen=True)
class Sample:
    """One observation behind a verdict."""

    value: str
    what: str
    lines: str
    """Of the journal, such as "12, 14"."""


@dataclass(frozen=True)
class Evidence:
    """The observations that say most, worst first, and where all of them are."""

    samples: list[Sample]
    more: int
    """Further observations that aren't listed."""
    lines: str
    """The whole trial's lines."""


def evidence_of(result: TrialResult, metrics: Sequence[str]) -> dict[str, Evidence]:
    """The evidence for figures of a trial, by metric.

    Args:
        result: The trial.
        metrics: Those that something is held to.
    """
    found = {metric: FINDERS[metric](result) if metric in FINDERS else [] for metric in metrics}
    shown = {metric: samples[:MOST] for metric, samples in found.items()}
    lines = _lines_of(result, [event for samples in shown.values()
                               for _, _, events in samples for event in events])  # fmt: skip
    first = result.record.line
    last = first + len(result.record.events)
    return {
        metric: Evidence(
            [Sample(value, what, ", ".join(str(lines[id(event)]) for event in events))
             for value, what, events in samples],
            len(found[metric]) - len(samples),
            f"{first} to {last}",
        )
        for metric, samples in shown.items()
    }  # fmt: skip


def _lines_of(result: TrialResult, events: Sequence[Event]) -> dict[int, int]:
    wanted = {id(event) for event in events}
    return {id(event): line for line, event in enumerate(result.record.events,
            result.record.line + 1) if id(event) in wanted}  # fmt: skip


def _slow_chunks(result: TrialResult) -> list[Found]:
    decoded = [chunk for chunk in result.log.chunks if chunk.inferences and not chunk.is_tail]
    decoded.sort(key=lambda chunk: -chunk.rtf)
    return [
        (number(chunk.rtf), f"{chunk.source}, chunk {chunk.index}, to {time_of(chunk.due_s)}",
         list(chunk.inferences))
        for chunk in decoded
    ]  # fmt: skip


def _drops(result: TrialResult) -> list[Found]:
    return [
        ("dropped", f"{event.source}, chunk {event.chunk}, at {time_of(event.at_s)}", [event])
        for event in result.log.of(Dropped)
    ]


def _late_chunks(result: TrialResult) -> list[Found]:
    waited = sorted(result.log.of(Queued), key=lambda event: -event.depth)
    return [(number(event.depth), f"{event.source}, at {time_of(event.at_s)}", [event])
            for event in waited]  # fmt: skip


def _late_words(result: TrialResult) -> list[Found]:
    log, found = result.log, []
    for source in log.sources:
        start_s, truth = log.start_s[source], log.truth(source)
        said = {event.at_s: event for event in log.of(Said) if event.segment.source == source}
        alignment = align(log, source)
        for word, match in zip(alignment.spoken, alignment.matches, strict=True):
            if word.end_s is None:
                continue
            at_s = start_s + word.end_s
            late_s = math.inf if match is None else match.first_s - at_s
            events: list[Event] = [truth[word.utterance]]
            if match is not None and match.first_s in said:
                events.append(said[match.first_s])
            found.append((late_s, f"“{word.token}”, said at {time_of(at_s)}", events))
    found.sort(key=lambda each: -each[0])
    return [("never" if math.isinf(late_s) else with_unit(late_s, "s"), what, events)
            for late_s, what, events in found]  # fmt: skip


def _wrong_utterances(result: TrialResult) -> list[Found]:
    log = result.log
    found: list[tuple[int, Utterance]] = []
    for source in log.sources:
        errors = align(log, source).errors
        found += [
            (count, utterance)
            for count, utterance in zip(errors, log.truth(source), strict=True)
            if count
        ]
    found.sort(key=lambda each: -each[0])
    return [(f"{count} wrong", f"“{utterance.text}”, at {time_of(utterance.t0)}", [utterance])
            for count, utterance in found]  # fmt: skip


def _inferences(result: TrialResult) -> list[Found]:
    spans = sorted(result.log.of(Inferred), key=lambda event: event.begin_s - event.end_s)
    return [(with_unit(event.end_s - event.begin_s, "s"),
             f"on {with_unit(event.window_s, 's')} of audio, at {time_of(event.begin_s)}", [event])
            for event in spans]  # fmt: skip


FINDERS: dict[str, Callable[[TrialResult], list[Found]]] = {
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
"""By metric; of others the page names the trial's lines only."""

"""Metrics of timestamps: how far the times of words differ between sources and from the truth."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.contract import AudioSource
from harness.metrics.alignment import align
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog
from harness.statistics import bootstrap, robust_line

EVENTS_NEEDED = 10
SPAN_NEEDED_S = 240.0
"""A slope of a few ppm can't be measured in less time."""
ABSENT = "no two sources played the same words"

Pair = tuple[float, float]
"""The true time of a word in seconds of the trial's clock, and another time or a difference."""


def common_words(log: TrialLog) -> Iterator[tuple[int, Pair]]:
    """Find the words that two sources played at the same moment, with the utterance's number.

    The difference is the second source's time minus the first one's; both are on the trial's
    clock, by the reported start of each source.
    """
    for first, second in pairwise(log.sources):
        one, other = _reported_s(log, first), _reported_s(log, second)
        for word in sorted(one.keys() & other.keys()):
            (true_s, first_s), (_, second_s) = one[word], other[word]
            yield word[0], (true_s, second_s - first_s)


def _reported_s(log: TrialLog, source: AudioSource) -> dict[tuple[int, int], Pair]:
    """By shared utterance and place in it: a word's true time, and the provider's."""
    truth, alignment = log.truth(source), align(log, source)
    start_s, place, before = log.start_s[source], 0, -1
    found = {}
    for word, match in zip(alignment.spoken, alignment.matches, strict=True):
        place = place + 1 if word.utterance == before else 0
        before = word.utterance
        shared = truth[word.utterance].shared
        if shared is not None and match is not None and word.middle_s is not None:
            found[shared, place] = (start_s + word.middle_s, start_s + match.said_s)
    return found


def events(log: TrialLog) -> list[Pair]:
    """Reduce the pairs to medians per utterance, whose words share most of their error."""
    by_utterance: dict[int, list[Pair]] = {}
    for number, pair in common_words(log):
        by_utterance.setdefault(number, []).append(pair)
    medians = (np.median(pairs, axis=0) for pairs in by_utterance.values())
    return [(float(true_s), float(difference_s)) for true_s, difference_s in medians]


@metric
def timestamp_drift(log: TrialLog) -> Measurement:
    """Absolute difference between two sources' times of the same word."""
    return sampled("s", [abs(difference_s) for _, (_, difference_s) in common_words(log)], ABSENT)


@metric
def timestamp_drift_max(log: TrialLog) -> Measurement:
    """Maximum absolute difference between two sources' times of the same word."""
    apart_s = [abs(difference_s) for _, (_, difference_s) in common_words(log)]
    if not apart_s:
        return Measurement(unit="s", absent=ABSENT)
    return Measurement(unit="s", value=max(apart_s), count=len(apart_s))


@metric
def drift_slope(log: TrialLog) -> Measurement:
    """Absolute rate at which two sources' times drift apart, in ppm (1 ppm is 3.6 ms per hour).

    Theil-Sen line through the differences per utterance, with Sen's bounds.
    """
    pairs = events(log)
    if len(pairs) < 2:
        return Measurement(unit="ppm", absent=ABSENT)
    times_s, differences_s = zip(*pairs, strict=True)
    line = robust_line(times_s, differences_s)
    low, high = sorted((abs(line.low), abs(line.high)))
    if line.low < 0 < line.high:
        low = 0.0
    short = len(pairs) < EVENTS_NEEDED or max(times_s) - min(times_s) < SPAN_NEEDED_S
    return Measurement(
        unit="ppm",
        value=abs(line.slope) * 1e6,
        bounds=(low * 1e6, high * 1e6),
        count=len(pairs),
        needed=max(EVENTS_NEEDED, len(pairs) + 1) if short else None,
    )


@metric
def timestamp_offset(log: TrialLog) -> Measurement:
    """Absolute median error of the provider's times of words, at the middle of each word.

    The median is over all matched words of all sources, so errors of single words don't count; the
    bounds are a bootstrap over words.
    """
    errors = np.array(
        [
            match.said_s - word.middle_s
            for source in log.sources
            for word, match in zip(
                align(log, source).spoken, align(log, source).matches, strict=True
            )
            if match is not None and word.middle_s is not None
        ]
    )
    if not len(errors):
        return Measurement(unit="s", absent="no word with a known time was recognised")

    def middle(rows: NDArray[np.floating]) -> float:
        return abs(float(np.median(rows)))

    return Measurement(
        unit="s", value=middle(errors), bounds=bootstrap(errors, middle), count=len(errors)
    )

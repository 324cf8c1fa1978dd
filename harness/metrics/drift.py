"""Whether times mean the same on every source: when two of them heard the same word."""

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
"""A slope of millionths can't be seen in less."""
ABSENT = "no two sources heard the same words"

Pair = tuple[float, float]
"""When something was said, in seconds of the trial's clock, and by how much the times differ."""


def common_words(log: TrialLog) -> Iterator[tuple[int, Pair]]:
    """Words that two sources heard at the same moment, by the number of their utterance.

    The difference is the later source's time minus the earlier one's, each counted from when the
    source says that it began.
    """
    for first, second in pairwise(log.sources):
        one, other = _said_s(log, first), _said_s(log, second)
        for word in sorted(one.keys() & other.keys()):
            (true_s, first_s), (_, second_s) = one[word], other[word]
            yield word[0], (true_s, second_s - first_s)


def _said_s(log: TrialLog, source: AudioSource) -> dict[tuple[int, int], Pair]:
    """By common utterance and place in it: when a word was said, and when the provider says so."""
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
    """The same by utterance: the median over its words, which share most of their error."""
    by_utterance: dict[int, list[Pair]] = {}
    for number, pair in common_words(log):
        by_utterance.setdefault(number, []).append(pair)
    medians = (np.median(pairs, axis=0) for pairs in by_utterance.values())
    return [(float(true_s), float(difference_s)) for true_s, difference_s in medians]


@metric
def timestamp_drift(log: TrialLog) -> Measurement:
    """How far apart two sources' times for the same word are, whichever is ahead."""
    return sampled("s", [abs(difference_s) for _, (_, difference_s) in common_words(log)], ABSENT)


@metric
def timestamp_drift_max(log: TrialLog) -> Measurement:
    """The farthest that two sources' times for the same word are apart."""
    apart_s = [abs(difference_s) for _, (_, difference_s) in common_words(log)]
    if not apart_s:
        return Measurement(unit="s", absent=ABSENT)
    return Measurement(unit="s", value=max(apart_s), count=len(apart_s))


@metric
def drift_slope(log: TrialLog) -> Measurement:
    """How fast two sources' times drift apart, in millionths (3.6 ms an hour each); no sign.

    Theil-Sen line through the differences by utterance, with Sen's bounds.
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
    """How far the middle of a word is, as the provider tells it, from its true one; no sign.

    It is the median of all matched words of all sources that is told, so the scatter of single
    words doesn't count; the bounds come from drawing words.
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

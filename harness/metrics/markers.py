"""Markers: a beep and a sentence at known samples, and how long until a final has the sentence."""

import math
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from harness.contract import AudioSource
from harness.journal.events import BeepFound, Utterance
from harness.metrics.alignment import SLACK_S, ShownWord, align
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog
from harness.text_normalizer import tokens

ABSENT = "the scenario has no markers"
MIN_SHARE = 0.5
"""Of a marker's words that have to be answered, right or wrong, for the marker to be answered."""


@dataclass
class Marker:
    """One marker, and what was shown in the place of its words."""

    utterance: Utterance
    start_s: float
    """When its source began."""
    words: int
    answers: list[ShownWord]
    """In the place of its words, right or wrong, over all finals; missing words have none."""
    extra: list[str]
    """Words shown beside those."""

    @property
    def is_missed(self) -> bool:
        """Whether less than half of its words have an answer."""
        return len(self.answers) < MIN_SHARE * self.words

    @property
    def latency_s(self) -> float:
        """From its last sample to the final that has the last of its answered words."""
        over_s = self.start_s + self.utterance.t1
        return math.inf if self.is_missed else self.answers[-1].final_s - over_s

    @property
    def is_repeated(self) -> bool:
        """Whether half of its words stand there once more."""
        wanted = tokens(self.utterance.text)
        return _in_common(wanted, self.extra) >= max(1, MIN_SHARE * len(wanted))


def markers(log: TrialLog) -> list[Marker]:
    """All markers of all sources; one without words is none."""
    return [marker for source in log.sources for marker in _markers_of(log, source)]


def _markers_of(log: TrialLog, source: AudioSource) -> list[Marker]:
    alignment = align(log, source)
    found = {
        number: Marker(utterance, log.start_s[source], alignment.words[number], [], [])
        for number, utterance in enumerate(log.truth(source))
        if utterance.beep_sample is not None and alignment.words[number]
    }
    for word, answer in zip(alignment.spoken, alignment.answers, strict=True):
        if word.utterance in found and answer is not None:
            found[word.utterance].answers.append(answer)
    answers = set(map(id, alignment.answers))
    extra = [shown for shown in alignment.shown if id(shown) not in answers]
    for marker in found.values():
        begin_s, end_s = marker.utterance.t0 - SLACK_S, marker.utterance.t1 + SLACK_S
        marker.extra = [shown.token for shown in extra if begin_s <= shown.said_s <= end_s]
    return list(found.values())


def _in_common(wanted: list[str], shown: list[str]) -> int:
    """Length of the longest common subsequence.

    >>> _in_common("open the green door".split(), "please open a door".split())
    2
    """
    return LCSseq.similarity(wanted, shown)


@metric
def marker_latency(log: TrialLog) -> Measurement:
    """From a marker's last sample to the final with the last of its words, over all finals on it.

    A word counts as there when some word stands in its place; whether it is the right one is for
    the word error rate to judge, and a missing last word for `last_words_missing`. A marker of
    which less than half the words have an answer is infinitely late.
    """
    return sampled("s", [marker.latency_s for marker in markers(log)], ABSENT)


@metric
def markers_missed(log: TrialLog) -> Measurement:
    """Share of the markers of which less than half the words were answered, right or wrong."""
    found = markers(log)
    if not found:
        return Measurement(unit="1", absent=ABSENT)
    missed = sum(marker.is_missed for marker in found)
    return Measurement(unit="1", value=missed / len(found), count=len(found))


@metric
def markers_repeated(log: TrialLog) -> Measurement:
    """Markers whose words stand in the finals once more than they were said."""
    found = markers(log)
    if not found:
        return Measurement(unit="markers", absent=ABSENT)
    repeated = sum(marker.is_repeated for marker in found)
    return Measurement(unit="markers", value=float(repeated), count=len(found))


@metric
def beep_error(log: TrialLog) -> Measurement:
    """How many samples a beep was from its place in the audio that the provider got, at worst.

    Found by matched filter; infinite if one was not there. It checks the way there, not the
    provider: samples lost, repeated or shifted by a transport show here.
    """
    heard = log.of(BeepFound)
    if not heard:
        return Measurement(unit="samples", absent=ABSENT)
    worst = 0.0
    for each in heard:
        expected = log.truth(each.source)[each.utterance].beep_sample
        if each.sample is None or expected is None:
            worst = math.inf
        else:
            worst = max(worst, float(abs(each.sample - expected)))
    return Measurement(unit="samples", value=worst, count=len(heard))

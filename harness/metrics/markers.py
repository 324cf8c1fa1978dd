"""Markers: beep and words at known samples, and how long until a final had them."""

import math
from dataclasses import dataclass

from harness.contract import ASRSegment
from harness.journal.events import BeepFound, Utterance
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog
from harness.text_normalizer import tokens

ABSENT = "the scenario has no markers"
MIN_SHARE = 0.5
"""Of a marker's words that a final must have to answer it."""
SLACK_S = 1.0
"""How far from a marker a final about it may lie, by its own times."""


@dataclass
class Marker:
    """One marker, and the finals that answered it, in order of arrival."""

    utterance: Utterance
    start_s: float
    """When its source began."""
    answers_s: list[float]


def markers(log: TrialLog) -> list[Marker]:
    """All markers of all sources.

    A final answers a marker if it lies where the marker is and has at least half of its words. It
    may lie a little beside it, unless it lies on another whose words it has: neighbours that say
    much the same are not answers to each other.
    """
    found = []
    for source in log.sources:
        mine = [Marker(utterance, log.start_s[source], []) for utterance in log.truth(source)
                if utterance.beep_sample is not None]  # fmt: skip
        begun = 0  # finals are in order, so what lies before is settled
        for at_s, final in log.finals(source):
            while begun < len(mine) and mine[begun].utterance.t1 + SLACK_S < final.t0:
                begun += 1
            answered = []
            for marker in mine[begun:]:
                if marker.utterance.t0 - SLACK_S > final.t1:
                    break
                if _has_words(final, marker.utterance):
                    answered.append(marker)
            on = [marker for marker in answered if _overlap(final, marker.utterance)]
            for marker in on or answered:
                marker.answers_s.append(at_s)
        found += mine
    return found


def _overlap(final: ASRSegment, utterance: Utterance) -> bool:
    return final.t0 < utterance.t1 and utterance.t0 < final.t1


def _has_words(final: ASRSegment, utterance: Utterance) -> bool:
    wanted, shown = tokens(utterance.text), tokens(final.text)
    return _in_common(wanted, shown) >= MIN_SHARE * len(wanted)


def _in_common(wanted: list[str], shown: list[str]) -> int:
    """Length of the longest common subsequence.

    >>> _in_common("open the green door".split(), "please open a door".split())
    2
    """
    row = [0] * (len(shown) + 1)
    for word in wanted:
        before = 0
        for at, other in enumerate(shown, 1):
            kept = row[at]
            row[at] = before + 1 if word == other else max(row[at], row[at - 1])
            before = kept
    return row[-1]


@metric
def marker_latency(log: TrialLog) -> Measurement:
    """From the moment a marker's last sample was captured to the first final that has its words.

    A marker that was never answered counts as infinitely late.
    """
    delays = []
    for marker in markers(log):
        over_s = marker.start_s + marker.utterance.t1
        delays.append(marker.answers_s[0] - over_s if marker.answers_s else math.inf)
    return sampled("s", delays, ABSENT)


@metric
def markers_missed(log: TrialLog) -> Measurement:
    """Share of the markers that no final answered."""
    found = markers(log)
    if not found:
        return Measurement(unit="1", absent=ABSENT)
    missed = sum(not marker.answers_s for marker in found)
    return Measurement(unit="1", value=missed / len(found), count=len(found))


@metric
def markers_repeated(log: TrialLog) -> Measurement:
    """Answers beyond the first to the same marker."""
    found = markers(log)
    if not found:
        return Measurement(unit="answers", absent=ABSENT)
    extra = sum(max(0, len(marker.answers_s) - 1) for marker in found)
    return Measurement(unit="answers", value=float(extra), count=len(found))


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

"""Metrics of the filter before the queue: filtered silence, lost speech and CPU time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.journal.events import Skipped, SourceEnded, SpeechScored, Utterance, VadUsed
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import bootstrap_ratio, none_found_bound
from harness.vad.detector import WINDOW
from harness.vad.gate import GateSettings, let_through

FRAME_S = 0.01
ABSENT = "there was no filter before the queue"
MIN_OF_A_WORD = 0.5
"""A word is lost if a smaller share of it was let through."""
THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Points of the receiver operating characteristic."""
CLOSES_TO_OPENS = GateSettings().closes_below / GateSettings().opens_at

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Frames:
    """A source in frames of 10 ms: which contain speech, and which the filter let through."""

    spoken: Mask
    passed: Mask


@dataclass(frozen=True)
class RocPoint:
    """Error rates of the filter at another threshold."""

    opens_at: float
    false_rejection: float
    false_acceptance: float
    is_chosen: bool


def _frames(log: TrialLog) -> Iterator[tuple[AudioSource, Frames]]:
    for played in log.of(SourceEnded):
        if played.source not in {used.source for used in log.of(VadUsed)}:
            continue
        count = round(played.samples / SAMPLE_RATE_HZ / FRAME_S)
        passed = np.ones(count, bool)
        for skipped in log.of(Skipped):
            if skipped.source == played.source:
                _set(passed, skipped.first_sample, skipped.first_sample + skipped.samples, False)
        yield played.source, Frames(_spoken(log, played.source, count), passed)


def _spoken(log: TrialLog, source: AudioSource, count: int) -> Mask:
    return _mask(log.truth(source), count)


def _mask(utterances: Iterable[Utterance], count: int) -> Mask:
    mask = np.zeros(count, bool)
    for utterance in utterances:
        for begin_s, end_s in _spans_s(utterance):
            _set(mask, begin_s * SAMPLE_RATE_HZ, end_s * SAMPLE_RATE_HZ, True)
    return mask


def _spans_s(utterance: Utterance) -> list[tuple[float, float]]:
    if utterance.words is None:
        return [(utterance.t0, utterance.t1)]
    return [(word.t0, word.t1) for word in utterance.words]


def _set(mask: Mask, begin: float, end: float, value: bool) -> None:
    per_frame = FRAME_S * SAMPLE_RATE_HZ
    mask[round(begin / per_frame) : round(end / per_frame)] = value


def _rate(missed: Sequence[int], of: Sequence[int]) -> Measurement:
    if not sum(of):
        return Measurement(unit="1", absent=ABSENT)
    return Measurement(
        unit="1",
        value=sum(missed) / sum(of),
        bounds=bootstrap_ratio(np.array(missed, float), np.array(of, float)),
        count=len(of),
    )


@metric
def vad_false_rejection(log: TrialLog) -> Measurement:
    """Share of the frames with speech that were filtered out; bootstrap over utterances."""
    missed, of = [], []
    for source, frames in _frames(log):
        for utterance in log.truth(source):
            mask = _mask([utterance], len(frames.passed))
            missed.append(int((mask & ~frames.passed).sum()))
            of.append(int(mask.sum()))
    return _rate(missed, of)


@metric
def vad_words_lost(log: TrialLog) -> Measurement:
    """Share of the words of which less than half was let through.

    If no word is lost, the upper bound is the exact binomial one.
    """
    lost = count = 0
    for source, frames in _frames(log):
        for utterance in log.truth(source):
            for begin_s, end_s in _spans_s(utterance) if utterance.words is not None else []:
                begin, end = round(begin_s / FRAME_S), round(end_s / FRAME_S)
                word = frames.passed[begin : max(end, begin + 1)]
                count += 1
                lost += bool(word.mean() < MIN_OF_A_WORD)
    if not count:
        return Measurement(unit="1", absent=ABSENT if not log.of(VadUsed) else "no word times")
    bounds = (0.0, none_found_bound(count)) if not lost else None
    return Measurement(unit="1", value=lost / count, bounds=bounds, count=count)


@metric
def vad_false_acceptance(log: TrialLog) -> Measurement:
    """Share of the frames without speech that were let through, margins of speech included."""
    silent = passed = 0
    for _, frames in _frames(log):
        silent += int((~frames.spoken).sum())
        passed += int((~frames.spoken & frames.passed).sum())
    if not silent:
        return Measurement(unit="1", absent=ABSENT)
    return Measurement(unit="1", value=passed / silent, count=silent)


@metric
def vad_silence_ratio(log: TrialLog) -> Measurement:
    """Share of the audio that was filtered out."""
    played = {each.source: each.samples for each in log.of(SourceEnded)}
    judged = sum(played.get(used.source, 0) for used in log.of(VadUsed))
    if not judged:
        return Measurement(unit="1", absent=ABSENT)
    skipped = sum(each.samples for each in log.of(Skipped))
    return Measurement(unit="1", value=skipped / judged, count=len(log.of(Skipped)))


@metric
def vad_frames_skipped(log: TrialLog) -> Measurement:
    """Windows of 32 ms that were filtered out."""
    if not log.of(VadUsed):
        return Measurement(unit="windows", absent=ABSENT)
    skipped = sum(each.samples for each in log.of(Skipped))
    return Measurement(unit="windows", value=float(skipped // WINDOW), count=len(log.of(Skipped)))


@metric
def vad_cpu(log: TrialLog) -> Measurement:
    """CPU seconds of the detector per second of audio."""
    used = [each for each in log.of(VadUsed) if each.audio_s]
    if not used:
        return Measurement(unit="s/s", absent=ABSENT)
    cpu_s, audio_s = sum(each.cpu_s for each in used), sum(each.audio_s for each in used)
    return Measurement(unit="s/s", value=cpu_s / audio_s, count=len(used))


def vad_roc(log: TrialLog) -> list[RocPoint]:
    """Compute the gate's error rates at other thresholds from the probabilities in the journal.

    Returns:
        Points from the lowest threshold to the highest; empty without probabilities.
    """
    chosen = GateSettings()
    scored: dict[AudioSource, list[float]] = {}
    for each in log.of(SpeechScored):
        scored.setdefault(each.source, []).extend(percent / 100 for percent in each.percent)
    if not scored:
        return []
    points = []
    for opens_at in THRESHOLDS:
        settings = GateSettings(opens_at=opens_at, closes_below=opens_at * CLOSES_TO_OPENS)
        rejected = spoken = accepted = silent = 0
        for source, probabilities in scored.items():
            windows = np.array(let_through(probabilities, settings))
            passed = np.repeat(windows, WINDOW)[:: round(FRAME_S * SAMPLE_RATE_HZ)]
            truth = _spoken(log, source, len(passed))
            rejected += int((truth & ~passed).sum())
            spoken += int(truth.sum())
            accepted += int((~truth & passed).sum())
            silent += int((~truth).sum())
        if spoken and silent:
            is_chosen = opens_at == chosen.opens_at
            points.append(RocPoint(opens_at, rejected / spoken, accepted / silent, is_chosen))
    return points

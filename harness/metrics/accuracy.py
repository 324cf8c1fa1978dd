"""How right the final text is: word and character error rate."""

import numpy as np
from rapidfuzz.distance import Levenshtein

from harness.metrics.alignment import align
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import bootstrap_ratio, share_bounds

LETTERS_A_WORD = 4
NEAR_S = 1.0
"""From an utterance, within which a word still belongs to it."""


@metric
def wer(log: TrialLog) -> Measurement:
    """Word error rate of all finals: (substitutions + deletions + insertions) / spoken words.

    All sources are pooled. The bounds come from drawing utterances with replacement.
    """
    errors: list[int] = []
    words: list[int] = []
    for source in log.sources:
        alignment = align(log, source)
        errors += alignment.errors
        words += alignment.words
    if not sum(words):
        return Measurement(unit="1", absent="nothing was spoken")
    return Measurement(
        unit="1",
        value=sum(errors) / sum(words),
        bounds=bootstrap_ratio(np.array(errors, float), np.array(words, float)),
        count=sum(words),
    )


@metric
def cer(log: TrialLog) -> Measurement:
    """Character error rate of all finals, on the normalised words with single spaces between."""
    errors, characters = 0, 0
    for source in log.sources:
        alignment = align(log, source)
        spoken = " ".join(word.token for word in alignment.spoken)
        shown = " ".join(word.token for word in alignment.shown)
        if spoken:
            expected = LETTERS_A_WORD * sum(alignment.errors)  # which makes it much faster
            errors += Levenshtein.distance(spoken, shown, score_hint=expected)
            characters += len(spoken)
    if not characters:
        return Measurement(unit="1", absent="nothing was spoken")
    return Measurement(unit="1", value=errors / characters, count=characters)


@metric
def matched_words(log: TrialLog) -> Measurement:
    """Share of the spoken words that some final has right; word latencies speak only of these."""
    matches = [match for source in log.sources for match in align(log, source).matches]
    if not matches:
        return Measurement(unit="1", absent="nothing was spoken")
    found = sum(match is not None for match in matches)
    return Measurement(unit="1", value=found / len(matches), count=len(matches))


@metric
def last_words_missing(log: TrialLog) -> Measurement:
    """Share of the utterances that were answered in part, and have nothing in their last place.

    A latency can't see it: what isn't shown isn't late. A wrong last word is a word error; here it
    is missing. The bounds are exact (Clopper and Pearson 1934).
    """
    answered = missing = 0
    for source in log.sources:
        alignment = align(log, source)
        by_utterance: dict[int, list[bool]] = {}
        for word, answer in zip(alignment.spoken, alignment.answers, strict=True):
            by_utterance.setdefault(word.utterance, []).append(answer is not None)
        answered += sum(any(there) for there in by_utterance.values())
        missing += sum(any(there) and not there[-1] for there in by_utterance.values())
    if not answered:
        return Measurement(unit="1", absent="no utterance was answered")
    return Measurement(
        unit="1", value=missing / answered, bounds=share_bounds(missing, answered), count=answered
    )


@metric
def invented_words(log: TrialLog) -> Measurement:
    """Words of the finals that lie where nothing was said, per hour of audio.

    A word lies there when its middle, as the provider tells, is more than a second from every
    utterance with words.
    """
    invented = 0
    for source in log.sources:
        alignment, truth = align(log, source), log.truth(source)
        said = [
            (utterance.t0 - NEAR_S, utterance.t1 + NEAR_S)
            for utterance, words in zip(truth, alignment.words, strict=True)
            if words
        ]
        invented += sum(not any(begin_s <= word.said_s <= end_s for begin_s, end_s in said)
                        for word in alignment.shown)  # fmt: skip
    if not log.audio_s:
        return Measurement(unit="1/h", absent="nothing was played")
    return Measurement(unit="1/h", value=3600 * invented / log.audio_s, count=invented)

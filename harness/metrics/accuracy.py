"""How right the final text is: word and character error rate."""

import numpy as np
from rapidfuzz.distance import Levenshtein

from harness.metrics.alignment import align
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import bootstrap_ratio

LETTERS_A_WORD = 4


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

"""How late words are: from the moment that a word had been said to the moment it was shown."""

import math
from collections.abc import Callable

from harness.metrics.alignment import ShownWord, align
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog


@metric
def word_emission_latency(log: TrialLog) -> Measurement:
    """From the end of each spoken word to the first time it was shown, in a partial or a final.

    A word that no final has right counts as never shown: infinite, so that recognising fewer words
    can't improve the figure.
    """
    return _delays(log, lambda word: word.first_s)


@metric
def word_settled_latency(log: TrialLog) -> Measurement:
    """From the end of each spoken word to when it was shown and changed no more.

    A word that no final has right never settled: infinite.
    """
    return _delays(log, lambda word: word.settled_s)


@metric
def word_final_latency(log: TrialLog) -> Measurement:
    """From the end of each spoken word to the final that holds it; infinite if none does."""
    return _delays(log, lambda word: word.final_s)


@metric
def finalization_delay(log: TrialLog) -> Measurement:
    """From the end of each utterance to the final with the last of its words; infinite if none."""
    delays = []
    for source in log.sources:
        truth, alignment = log.truth(source), align(log, source)
        finals_s = [-math.inf] * len(truth)
        for word, match in zip(alignment.spoken, alignment.matches, strict=True):
            if match is not None:
                finals_s[word.utterance] = max(finals_s[word.utterance], match.final_s)
        for utterance, final_s in zip(truth, finals_s, strict=True):
            over_s = log.start_s[source] + utterance.t1
            delays.append(final_s - over_s if math.isfinite(final_s) else math.inf)
    return sampled("s", delays, "nothing was spoken")


@metric
def chunk_latency(log: TrialLog) -> Measurement:
    """From the moment a chunk's last sample was captured to the provider's being done with it.

    Counted from when the chunk was due, so that a stall shows in all the chunks that it delayed;
    infinite for one that was dropped.
    """
    delays = []
    for chunk in log.chunks:
        if chunk.dropped:
            delays.append(math.inf)
        elif chunk.finished_s is not None:
            delays.append(chunk.finished_s - chunk.due_s)
    return sampled("s", delays, "no chunk was finished")


@metric
def time_to_first_text(log: TrialLog) -> Measurement:
    """From the first spoken word's beginning to the first text of its source; one a source.

    Negative when there was text before anyone spoke, which is invented text.
    """
    delays = []
    for source in log.sources:
        truth = log.truth(source)
        texts = [at_s for at_s, segment in log.segments(source) if segment.text.strip()]
        if truth:
            onset_s = log.start_s[source] + truth[0].t0
            delays.append(texts[0] - onset_s if texts else math.inf)
    return sampled("s", delays, "nothing was spoken")


def _delays(log: TrialLog, shown_s: Callable[[ShownWord], float]) -> Measurement:
    delays = []
    for source in log.sources:
        alignment = align(log, source)
        for word, match in zip(alignment.spoken, alignment.matches, strict=True):
            if word.end_s is not None:
                said_s = log.start_s[source] + word.end_s
                delays.append(math.inf if match is None else shown_s(match) - said_s)
    return sampled("s", delays, "the corpus has no word times")

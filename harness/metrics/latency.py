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
    return _delays(log, lambda word, spoken_from_s: word.first_s(spoken_from_s))


@metric
def word_settled_latency(log: TrialLog) -> Measurement:
    """From the end of each spoken word to when it was shown and changed no more.

    A word that no final has right never settled: infinite.
    """
    return _delays(
        log, lambda word, spoken_from_s: max(word.settled_s, word.first_s(spoken_from_s))
    )


@metric
def word_final_latency(log: TrialLog) -> Measurement:
    """From the end of each spoken word to the final that holds it; infinite if none does."""
    return _delays(log, lambda word, _: word.final_s)


@metric
def finalization_delay(log: TrialLog) -> Measurement:
    """From the end of each utterance to the final that has a word in the place of its last one.

    That word may be wrong, which is for the word error rate to judge; where it is missing, the
    delay is infinite. An utterance without words has no delay.
    """
    delays = []
    for source in log.sources:
        alignment = align(log, source)
        last = {
            word.utterance: answer
            for word, answer in zip(alignment.spoken, alignment.answers, strict=True)
        }
        for number, utterance in enumerate(log.truth(source)):
            if number in last:
                answer, over_s = last[number], log.start_s[source] + utterance.t1
                delays.append(math.inf if answer is None else answer.final_s - over_s)
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
        texts = [at_s for at_s, segment in log.segments(source) if segment.text.strip()]
        if (onset_s := log.onset_s(source)) is not None:
            begun_s = log.start_s[source] + onset_s
            delays.append(texts[0] - begun_s if texts else math.inf)
    return sampled("s", delays, "nothing was spoken")


def _delays(log: TrialLog, shown_s: Callable[[ShownWord, float], float]) -> Measurement:
    delays = []
    for source in log.sources:
        alignment = align(log, source)
        for word, match in zip(alignment.spoken, alignment.matches, strict=True):
            if word.start_s is not None and word.end_s is not None:
                begun_s, over_s = (
                    log.start_s[source] + each for each in (word.start_s, word.end_s)
                )
                delays.append(math.inf if match is None else shown_s(match, begun_s) - over_s)
    return sampled("s", delays, "the corpus has no word times")

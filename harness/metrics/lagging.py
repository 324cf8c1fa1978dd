"""Metrics of average lagging: the mean delay of text behind an ideal simultaneous recogniser.

Sources: Ma et al. 2019 (AL); Papi et al. 2022, "Over-Generation Cannot Be Rewarded" (LAAL). Both
are defined per utterance. Delays are times on the trial's clock, so they include computation (the
computation-aware variants), but don't count the recogniser's idle time twice.
"""

import math
from collections.abc import Sequence

from harness.metrics.alignment import align
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog


def lagging_s(delays_s: Sequence[float], source_s: float, target: float) -> float:
    """Compute the lagging of one utterance (AL or LAAL).

    Args:
        delays_s: For each word of the hypothesis, the seconds from the utterance's begin until the
            word was displayed.
        source_s: Duration of the utterance.
        target: Number of words: the reference's for AL; for LAAL the hypothesis' if that is more.

    Returns:
        Seconds; infinite without any word, which SimulEval excludes from its mean instead.

    >>> lagging_s([1.0, 2.0, 3.0], source_s=3.0, target=3)
    1.0
    >>> lagging_s([5.0], source_s=3.0, target=3)
    5.0
    """
    if not delays_s:
        return math.inf
    if delays_s[0] > source_s:
        return delays_s[0]
    total, count = 0.0, 0
    for number, delay_s in enumerate(delays_s):
        total += delay_s - number * source_s / target
        count = number + 1
        if delay_s >= source_s:
            break
    return total / count


@metric
def average_lagging(log: TrialLog) -> Measurement:
    """Average lagging (AL) of each utterance, relative to the spoken words."""
    return _lagging(log, adaptive=False)


@metric
def length_adaptive_average_lagging(log: TrialLog) -> Measurement:
    """Length-adaptive average lagging (LAAL): extra words in the output don't lower it."""
    return _lagging(log, adaptive=True)


def _lagging(log: TrialLog, *, adaptive: bool) -> Measurement:
    lagging = []
    for source in log.sources:
        alignment = align(log, source)
        for number, utterance in enumerate(log.truth(source)):
            began_s = log.start_s[source] + utterance.t0
            delays_s = [
                max(0.0, word.first_s(began_s) - began_s) for word in alignment.by_utterance[number]
            ]
            spoken = alignment.words[number]
            if spoken:
                target = max(spoken, len(delays_s)) if adaptive else spoken
                length_s = utterance.t1 - utterance.t0
                lagging.append(lagging_s(delays_s, length_s, target))
    return sampled("s", lagging, "nothing was spoken")

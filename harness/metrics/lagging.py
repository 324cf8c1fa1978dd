"""Average lagging: how far, on average, text is behind an ideal that keeps up with the speaker.

Sources: Ma et al. 2019 (AL); Papi et al. 2022, "Over-Generation Cannot Be Rewarded" (LAAL). Both
are defined for one utterance. Delays here are moments on the trial's clock, computing included, so
they are the computation-aware kind, without its usual flaw of counting twice the time in which the
recogniser was idle.
"""

import math
from collections.abc import Sequence

from harness.metrics.alignment import align
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog


def lagging_s(delays_s: Sequence[float], source_s: float, target: float) -> float:
    """Compute the lagging of one utterance (AL or LAAL).

    Args:
        delays_s: For each word of the hypothesis, how much time had passed since the utterance
            began when it was shown.
        source_s: How long the utterance is.
        target: Words that it takes: the reference's for AL, the larger number for LAAL.

    Returns:
        Seconds; infinite for no words at all, which SimulEval leaves out of its mean instead.

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
    """Average lagging of each utterance, against the words that were said."""
    return _lagging(log, adaptive=False)


@metric
def length_adaptive_average_lagging(log: TrialLog) -> Measurement:
    """Length-adaptive average lagging: saying more words than were said gains nothing."""
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
            said = alignment.words[number]
            if said:
                target = max(said, len(delays_s)) if adaptive else said
                length_s = utterance.t1 - utterance.t0
                lagging.append(lagging_s(delays_s, length_s, target))
    return sampled("s", lagging, "nothing was spoken")

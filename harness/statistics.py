"""Percentiles that are samples, and what a number of samples can prove about them.

Sources: the percentile is the order statistic that MLPerf's load generator uses; the bounds are
Clopper and Pearson's exact ones for a share (1934), applied to the share of samples over a limit.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
MOST_PAIRED = 1000
"""Values that are paired with one another in a slope; a million pairs and more only cost time."""


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample that `share` of all samples are not above; never interpolated.

    Args:
        samples: At least one; infinity is a sample like any other.
        share: In [0, 1].

    Raises:
        ValueError: No samples, or NaN among them.

    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile(range(100), 0.95)
    (2.0, 95)
    """
    if not len(samples):
        raise ValueError("no samples")
    if any(map(math.isnan, samples)):
        raise ValueError("a sample is not a number")
    ordered = sorted(samples)
    rank = int(len(ordered) * share + 1e-9)  # 100 * 0.29 is a little less than 29
    return ordered[min(len(ordered) - 1, rank)]


def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """P(X <= successes) of a binomial variable, summed term by term away from the middle.

    Each term is got from the one before, and the sum ends where terms no longer count; so it takes
    some square root of `trials` steps.

    >>> round(binomial_cdf(1, 3, 0.5), 6), round(binomial_cdf(0, 3, 0.5), 6)
    (0.5, 0.125)
    """
    if successes >= trials or probability <= 0:
        return 1.0
    if successes < 0 or probability >= 1:
        return 0.0
    if successes > trials * probability:  # the other tail is the shorter one
        return 1.0 - binomial_cdf(trials - successes - 1, trials, 1 - probability)
    log_term = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
        + successes * math.log(probability) + (trials - successes) * math.log1p(-probability)
    )  # fmt: skip
    share, total, odds = 1.0, 1.0, (1 - probability) / probability
    for k in range(successes, 0, -1):
        share *= odds * k / (trials - k + 1)
        total += share
        if share < 1e-17 * total:
            break
    return min(1.0, math.exp(log_term) * total)


def claim(violations: int, samples: int, share: float) -> Literal["proven", "refuted", "open"]:
    """Judge "the `share` percentile is within the limit" from samples over the limit.

    Proven when so few violations would come by chance, at most once in twenty, from a process whose
    true violation rate is just 1 - share; refuted when so many would; otherwise open.

    >>> claim(0, 59, 0.95), claim(0, 58, 0.95), claim(1, 93, 0.95), claim(9, 60, 0.95)
    ('proven', 'open', 'proven', 'refuted')
    """
    allowed = 1 - share
    if samples and binomial_cdf(violations, samples, allowed) <= 1 - CONFIDENCE:
        return "proven"
    if violations and 1 - binomial_cdf(violations - 1, samples, allowed) <= 1 - CONFIDENCE:
        return "refuted"
    return "open"


@lru_cache(maxsize=256)
def samples_needed(violations: int, share: float) -> int:
    """The fewest samples that prove a percentile claim in spite of so many violations.

    >>> [samples_needed(t, 0.95) for t in (0, 1, 2, 5)], samples_needed(0, 0.99)
    ([59, 93, 124, 208], 299)
    """
    low, high = violations + 1, 2 * (violations + 1)
    while claim(violations, high, share) != "proven":
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if claim(violations, middle, share) == "proven":
            high = middle
        else:
            low = middle + 1
    return low


def percentile_bounds(samples: Sequence[float], share: float) -> tuple[float, float]:
    """The order statistics between which the true percentile lies, with 95 % confidence a side.

    An end is infinite where the samples are too few to bound it.

    >>> percentile_bounds([float(i) for i in range(100)], 0.5)
    (41.0, 58.0)
    >>> percentile_bounds([1.0, 2.0], 0.95)
    (1.0, inf)
    """
    ordered, count = sorted(samples), len(samples)
    ranks = range(count)
    below = bisect_right(ranks, 1 - CONFIDENCE, key=lambda k: binomial_cdf(k, count, share))
    above = bisect_left(ranks, CONFIDENCE, key=lambda k: binomial_cdf(k, count, share))
    low = ordered[below - 1] if below else -math.inf
    return low, ordered[above] if above < count else math.inf


def theil_sen(values: Sequence[float]) -> float:
    """The median slope between all pairs of equally spaced values; one outlier moves it little.

    Source: Theil 1950, Sen 1968. Of very many values, the medians of neighbours are taken first.

    Raises:
        ValueError: Fewer than two values.

    >>> theil_sen([0.0, 1.0, 2.0, 30.0, 4.0])
    1.0
    """
    if len(values) < 2:
        raise ValueError("a slope needs two values")
    y = np.asarray(values, dtype=float)
    together = -(-len(y) // MOST_PAIRED)
    y = np.median(y[len(y) % together :].reshape(-1, together), axis=1)
    i, j = np.triu_indices(len(y), k=1)
    return float(np.median((y[j] - y[i]) / (j - i))) / together


def bootstrap_ratio(
    parts: NDArray[np.floating], wholes: NDArray[np.floating], rounds: int = 2000
) -> tuple[float, float]:
    """A 95 % bound on each side of sum(parts) / sum(wholes), by drawing units with replacement.

    Without a single error among n words, that would prove the rate to be 0 whatever n is; the upper
    bound is then the rate at which so many words are all right once in twenty times.

    Args:
        parts: One number a unit (such as an utterance's errors), shape (n,).
        wholes: The unit's size (its words), shape (n,), not all zero.
        rounds: How often to draw; the draws are the same each time.

    >>> low, high = bootstrap_ratio(np.array([0.0, 2, 1, 1]), np.array([10.0, 10, 10, 10]))
    >>> low < 0.1 < high
    True
    """
    generator = np.random.default_rng(0)
    ratios = []
    for _ in range(rounds):
        picks = generator.integers(0, len(parts), len(parts))
        if size := wholes[picks].sum():
            ratios.append(parts[picks].sum() / size)
    low, high = np.quantile(ratios, [1 - CONFIDENCE, CONFIDENCE])
    if not parts.any():  # whatever is drawn is perfect; take the exact bound on a share of none
        high = 1 - (1 - CONFIDENCE) ** (1 / float(wholes.sum()))
    return float(low), float(high)

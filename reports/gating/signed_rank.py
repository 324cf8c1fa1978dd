"""Computes exact signed-rank statistics of a few pairs.

Sources: Wilcoxon 1945, "Individual comparisons by ranking methods"; Hodges and Lehmann 1963,
"Estimates of location based on rank tests". Two dozen pairs take less than a millisecond, so SciPy,
a large package, isn't needed.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def signed_rank_p(differences: Sequence[float]) -> float:
    """Return the one-sided p-value of the hypothesis that differences are as likely negative.

    Zeros are omitted, and equal sizes share their mean rank; the distribution is that of the actual
    ranks, so it is exact with ties too.

    Args:
        differences: Head minus base of each pair.

    >>> signed_rank_p([0.1, 0.2, 0.3, 0.4, 0.5]), signed_rank_p([-1.0]), signed_rank_p([0.0])
    (0.03125, 1.0, 1.0)
    """
    sizes = np.array([each for each in differences if each], float)
    if not len(sizes):
        return 1.0
    ranks = _doubled_ranks(np.abs(sizes))
    counts = _sums(tuple(sorted(ranks.tolist())))
    observed = int(ranks[sizes > 0].sum())
    return float(counts[observed:].sum() / counts.sum())


def hodges_lehmann(differences: Sequence[float]) -> float:
    """Return the median of the means of all pairs of differences, including each with itself.

    >>> hodges_lehmann([1.0, 2.0, 3.0])
    2.0
    """
    return float(np.median(_walsh(differences)))


def upper_bound(differences: Sequence[float], confidence: float = 0.95) -> float:
    """Return a one-sided upper bound of the true shift, with at least this confidence.

    Args:
        differences: Head minus base of each pair.
        confidence: In (0.5, 1).

    Returns:
        The order statistic of the pairwise means that the signed-rank test doesn't reject;
        infinite where the pairs are too few to reject anything.

    >>> upper_bound([1.0, 2.0, 3.0, 4.0, 5.0]), upper_bound([1.0, 2.0])
    (5.0, inf)
    """
    counts = _sums(tuple(range(2, 2 * len(differences) + 1, 2)))[::2]
    below = np.cumsum(counts) / counts.sum()
    rejected = int((below <= 1 - confidence).sum())
    return float(np.sort(_walsh(differences))[-rejected]) if rejected else float("inf")


def _walsh(differences: Sequence[float]) -> NDArray[np.floating]:
    values = np.asarray(differences, float)
    i, j = np.triu_indices(len(values))
    return np.asarray((values[i] + values[j]) / 2)


def _doubled_ranks(sizes: NDArray[np.floating]) -> NDArray[np.integer]:
    """Return twice the mean ranks, which are whole numbers."""
    ordered = np.sort(sizes)
    first = np.searchsorted(ordered, sizes, side="left")
    last = np.searchsorted(ordered, sizes, side="right")
    return np.asarray(first + last + 1)


@lru_cache(maxsize=64)
def _sums(ranks: tuple[int, ...]) -> NDArray[np.floating]:
    """Count for each sum how many choices of signs make the positive ranks add up to it."""
    counts = np.zeros(sum(ranks) + 1)
    counts[0] = 1
    for rank in ranks:
        counts[rank:] += counts[:-rank].copy()
    return counts

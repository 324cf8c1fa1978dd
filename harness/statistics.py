"""Percentiles that are samples, and what a number of samples can prove about them.

Sources: the percentile is the order statistic that MLPerf's load generator uses; the bounds are
Clopper and Pearson's exact ones for a share (1934), applied to the share of samples over a limit.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
Values: TypeAlias = "Sequence[float] | NDArray[np.floating]"
NORMAL_95 = 1.6448536269514722
"""What a standard normal variable exceeds once in twenty times."""
MAX_PAIRED = 1000
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


def share_bounds(hits: int, trials: int) -> tuple[float, float]:
    """Between what a true share lies, with 95 % confidence a side; Clopper and Pearson's bounds.

    >>> [round(bound, 4) for bound in share_bounds(0, 59)], share_bounds(0, 0)
    ([0.0, 0.0495], (0.0, 1.0))
    """
    if not trials:
        return 0.0, 1.0
    low = _root(lambda p: 1 - binomial_cdf(hits - 1, trials, p) - (1 - CONFIDENCE)) if hits else 0.0
    high = 1.0
    if hits < trials:
        high = _root(lambda p: (1 - CONFIDENCE) - binomial_cdf(hits, trials, p))
    return low, high


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of a share crosses zero, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


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
    together = -(-len(y) // MAX_PAIRED)
    y = np.median(y[len(y) % together :].reshape(-1, together), axis=1)
    i, j = np.triu_indices(len(y), k=1)
    return float(np.median((y[j] - y[i]) / (j - i))) / together


@dataclass(frozen=True)
class LinearFit:
    """A robust line through points: the median of all pairs' slopes, with its bounds."""

    slope: float
    low: float
    high: float
    """95 % bounds of the slope, one a side."""
    intercept: float

    def at(self, x: float) -> float:
        """The line's value."""
        return self.intercept + self.slope * x


def robust_line(x: Values, y: Values) -> LinearFit:
    """Theil-Sen line with Sen's bounds, which need no assumption about the scatter.

    Source: Sen 1968, with the normal approximation to Kendall's statistic for the ranks of the
    slopes. Of more than `MAX_PAIRED` points, evenly spaced ones are taken.

    Args:
        x: At least two values that are not all the same.
        y: As many.

    Raises:
        ValueError: Too few points, or no spread along x.

    >>> line = robust_line([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 5.0, 7.0, 60.0])
    >>> line.slope, line.at(5.0)
    (2.0, 11.0)
    """
    if len(x) != len(y) or len(x) < 2:
        raise ValueError("a line needs two points")
    step = -(-len(x) // MAX_PAIRED)
    xs, ys = np.asarray(x, float)[::step], np.asarray(y, float)[::step]
    i, j = np.triu_indices(len(xs), k=1)
    run = xs[j] - xs[i]
    if not run.any():
        raise ValueError("all points lie above one another")
    slopes = np.sort((ys[j] - ys[i])[run != 0] / run[run != 0])
    count = len(xs)
    spread = NORMAL_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    slope = float(np.median(slopes))
    intercept = float(np.median(ys - slope * xs))
    return LinearFit(slope, float(slopes[low]), float(slopes[high]), intercept)


def bootstrap(
    units: NDArray[np.floating],
    statistic: Callable[[NDArray[np.floating]], float],
    rounds: int = 500,
    block: int = 1,
) -> tuple[float, float]:
    """A 95 % bound on each side of a statistic, by drawing units with replacement.

    Neighbouring chunks are alike, so a block of them is drawn together where order matters: then
    the bounds are as wide as they must be. Source: Künsch 1989, the moving block bootstrap.

    Args:
        units: Shape (n, ...), one unit a row, n > 0.
        statistic: Takes as many rows; a draw for which it is NaN doesn't count.
        rounds: How often to draw; the draws are the same each time.
        block: How many neighbours are drawn together.

    >>> low, high = bootstrap(np.arange(100.0), lambda rows: float(np.mean(rows)))
    >>> low < 49.5 < high
    True
    """
    generator = np.random.default_rng(0)
    count = len(units)
    block = max(1, min(block, count))
    drawn = []
    for _ in range(rounds):
        starts = generator.integers(0, count - block + 1, -(-count // block))
        picks = (starts[:, None] + np.arange(block)).ravel()[:count]
        drawn.append(statistic(units[picks]))
    low, high = np.nanquantile(drawn, [1 - CONFIDENCE, CONFIDENCE])
    return float(low), float(high)


def none_found_bound(count: int) -> float:
    """The highest rate at which nothing is found in `count` looks once in twenty times.

    Source: the exact binomial bound, about 3 / count.

    >>> round(none_found_bound(300), 4)
    0.0099
    """
    return float(1 - (1 - CONFIDENCE) ** (1 / count)) if count else 1.0


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

    def ratio(rows: NDArray[np.floating]) -> float:
        part, whole = rows.sum(axis=0)
        return float(part / whole) if whole else math.nan

    low, high = bootstrap(np.column_stack([parts, wholes]), ratio, rounds)
    if not parts.any():  # whatever is drawn is perfect; take the exact bound on a share of none
        high = none_found_bound(int(wholes.sum()))
    return low, high

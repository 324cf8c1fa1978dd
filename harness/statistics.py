"""Percentiles, confidence bounds, robust lines and bootstrap intervals.

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
"""The 95 % quantile of the standard normal distribution."""
MAX_PAIRED = 1000
"""Points of which a slope uses all pairs; more than half a million pairs only cost time."""


def percentile(samples: Sequence[float], share: float) -> float:
    """The percentile as an order statistic: one of the samples, never interpolated.

    Args:
        samples: At least one; infinity is a valid sample.
        share: The percentile as a share, in [0, 1].

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
    """P(X <= successes) of a binomial variable, summed from the largest term outwards.

    Each term is computed from the one before. The sum ends where terms become negligible, after
    about sqrt(`trials`) steps.

    >>> round(binomial_cdf(1, 3, 0.5), 6), round(binomial_cdf(0, 3, 0.5), 6)
    (0.5, 0.125)
    """
    if successes >= trials or probability <= 0:
        return 1.0
    if successes < 0 or probability >= 1:
        return 0.0
    if successes > trials * probability:  # the other tail has fewer terms
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
    """Judge "the `share` percentile is within the limit" by the number of samples over the limit.

    With X the violations of a process whose true violation rate is exactly 1 - share, the claim is
    proven if P(X <= violations) <= 5 %, refuted if P(X >= violations) <= 5 %, and open otherwise.

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
    """The smallest number of samples that proves a percentile claim with so many violations.

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
    """The order statistics that bound the true percentile, with 95 % confidence per side.

    A bound is infinite where the samples are too few for it.

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
    """The Theil-Sen slope of equally spaced values: the median slope of all pairs.

    Source: Theil 1950, Sen 1968. More than `MAX_PAIRED` values are first reduced to medians of
    consecutive groups.

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
    """A robust line through points, with bounds of its slope."""

    slope: float
    low: float
    high: float
    """Bounds of the slope, with 95 % confidence per side."""
    intercept: float

    def at(self, x: float) -> float:
        """The line's value at x."""
        return self.intercept + self.slope * x


def robust_line(x: Values, y: Values) -> LinearFit:
    """Fit a Theil-Sen line with Sen's bounds, which assume no distribution of the errors.

    Source: Sen 1968, with the normal approximation to Kendall's statistic for the ranks of the
    slopes. Of more than `MAX_PAIRED` points, evenly spaced ones are used.

    Args:
        x: At least two values that are not all the same.
        y: As many values.

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
        raise ValueError("all points have the same x")
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
    """Bound a statistic by drawing units with replacement; 95 % confidence per side.

    Consecutive chunks are correlated; drawing blocks of them keeps the bounds wide enough.
    Source: Künsch 1989, the moving block bootstrap.

    Args:
        units: Shape (n, ...), one unit per row, n > 0.
        statistic: Takes as many rows; a draw for which it is NaN is ignored.
        rounds: The number of draws; they are the same in each call.
        block: The number of consecutive units that are drawn together.

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
    """The upper 95 % bound of an event's rate when `count` trials show no event.

    Source: the exact binomial bound, about 3 / count.

    >>> round(none_found_bound(300), 4)
    0.0099
    """
    return float(1 - (1 - CONFIDENCE) ** (1 / count)) if count else 1.0


def bootstrap_ratio(
    parts: NDArray[np.floating], wholes: NDArray[np.floating], rounds: int = 2000
) -> tuple[float, float]:
    """Bound sum(parts) / sum(wholes) by drawing units with replacement; 95 % confidence per side.

    If all parts are 0, every draw is 0 too; the upper bound is then the exact binomial one.

    Args:
        parts: One number per unit (such as an utterance's errors), shape (n,).
        wholes: The unit's size (its words), shape (n,), not all zero.
        rounds: The number of draws; they are the same in each call.

    >>> low, high = bootstrap_ratio(np.array([0.0, 2, 1, 1]), np.array([10.0, 10, 10, 10]))
    >>> low < 0.1 < high
    True
    """

    def ratio(rows: NDArray[np.floating]) -> float:
        part, whole = rows.sum(axis=0)
        return float(part / whole) if whole else math.nan

    low, high = bootstrap(np.column_stack([parts, wholes]), ratio, rounds)
    if not parts.any():
        high = none_found_bound(int(wholes.sum()))
    return low, high

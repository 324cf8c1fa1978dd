"""Finds change points, where a series moves to another level and stays there.

The series is split where the ranks to the left differ most from those to the right, if at most one
in a thousand random permutations can be split as well, and if the level changes by more than a few
per cent; then both parts are split likewise. Ranks make the method robust to spikes and skewed
distributions; the permutations account for testing every place.

Sources: Pettitt 1979, "A non-parametric approach to the change-point problem"; repeated binary
splitting as in Vostrikova 1981. Libraries for this were evaluated: see docs/decisions.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

ORDERS = 4999
CHANCE = 0.001
MIN_SHARE = 0.05
"""Smaller changes of the level aren't reported."""
ROUNDS = 3
MIN_POINTS = 4
"""Points on either side of a change; three outliers in a row do happen."""
MAX_POINTS = 400
"""Only the latest points are used; older ones were tested when they were new."""


@dataclass(frozen=True)
class ChangePoint:
    """A change of the level between a point and the one before."""

    at: int
    """The first point at the new level."""
    before: float
    """The median since the previous change point or the beginning."""
    after: float
    """The median up to the next change point or the end."""
    p: float
    """The share of random permutations that can be split as well."""

    @property
    def ratio(self) -> float:
        """New level / old level; infinite from 0."""
        return self.after / self.before if self.before else math.inf


def change_points(values: Sequence[float]) -> list[ChangePoint]:
    """Find where a series changed its level.

    Args:
        values: In order of time; infinity is a value like any other.

    Returns:
        The change points, earliest first; the same values always give the same ones.

    >>> level = [1.0, 1.02, 0.99, 1.01, 1.0, 0.98, 1.01, 1.0, 1.02, 0.99]
    >>> [(each.at, each.after) for each in change_points(level + [2 * v for v in level])]
    [(10, 2.0)]
    >>> change_points(level + level)
    []
    """
    skipped = max(0, len(values) - MAX_POINTS)
    series = np.asarray(values[skipped:], float)
    found = sorted(_split(series, 0))
    places = _refined(series, [at for at, _ in found])
    edges = [0, *places, len(series)]
    return [
        ChangePoint(at + skipped, _level(series[start:at]), _level(series[at:end]), p)
        for at, (_, p), start, end in zip(places, found, edges, edges[2:], strict=False)
    ]


def _refined(series: Floats, places: list[int]) -> list[int]:
    """Move each place to where two levels best fit the piece between the adjacent places.

    Ranks detect a change reliably, but locate it less so; and when a level returns to its old
    value, the first split is made while the second change still distorts the ranks.
    """
    finite = series[np.isfinite(series)]
    values = np.minimum(series, 2 * finite.max() + 1 if len(finite) else 1.0)
    for _ in range(ROUNDS):
        for index in range(len(places)):
            start = places[index - 1] if index else 0
            end = places[index + 1] if index + 1 < len(places) else len(series)
            costs = {
                at: _spread(values[start:at]) + _spread(values[at:end])
                for at in range(start + MIN_POINTS, end - MIN_POINTS + 1)
            }
            places[index] = min(costs, key=lambda at: costs[at])
    return places


def _spread(part: Floats) -> float:
    """Return the sum of the values' distances from their median."""
    return float(np.abs(part - np.median(part)).sum())


def _split(series: Floats, offset: int) -> list[tuple[int, float]]:
    if len(series) < 2 * MIN_POINTS:
        return []
    ranks = _mean_ranks(series)
    at, found = _best_split(ranks)
    if not _moved(_level(series[:at]), _level(series[at:])):
        return []
    orders = np.random.default_rng(len(series)).permuted(np.tile(ranks, (ORDERS, 1)), axis=1)
    as_good = int((_deviations(orders).max(axis=1) >= found - 1e-9).sum())
    p = (as_good + 1) / (ORDERS + 1)
    if p > CHANCE:
        return []
    left, right = _split(series[:at], offset), _split(series[at:], offset + at)
    return [*left, (offset + at, p), *right]


def _best_split(ranks: Floats) -> tuple[int, float]:
    deviations = _deviations(ranks[None, :])[0]
    best = int(deviations.argmax())
    return best + MIN_POINTS, float(deviations[best])


def _deviations(orders: Floats) -> Floats:
    """Return for each permutation and split the normalised deviation of the left ranks' sum."""
    count = orders.shape[1]
    lengths = np.arange(MIN_POINTS, count - MIN_POINTS + 1)
    sums = np.cumsum(orders, axis=1)[:, lengths - 1]
    spread = np.sqrt(lengths * (count - lengths))
    return np.asarray(np.abs(sums - lengths * orders[0].mean()) / spread)


def _mean_ranks(series: Floats) -> Floats:
    ordered = np.sort(series)
    first = np.searchsorted(ordered, series, side="left")
    return (first + np.searchsorted(ordered, series, side="right")) / 2


def _level(part: Floats) -> float:
    return float(np.sort(part)[len(part) // 2])


def _moved(before: float, after: float) -> bool:
    if before == after or math.isinf(before) or math.isinf(after):
        return before != after
    return abs(after - before) > MIN_SHARE * abs(before)

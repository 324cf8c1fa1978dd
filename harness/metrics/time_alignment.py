"""Aligns two sequences of words by the fewest edits and, among those, by the least time between.

Plain edit distance can't tell which of two equal sentences was recognised: every choice has as many
errors. Time decides. Words farther apart than `REACH_S` are never paired, so that the cost grows
with the length of the audio and not with its square; in shorter audio the edits are the fewest that
there are. Sources: Levenshtein 1966; minding time follows the time-constrained word error rate of
von Neumann et al. 2023, "MeetEval".
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

REACH_S = 600.0
EDIT = 1e7
"""Cost of an edit; more than all times of a source add up to."""

Times = Sequence[float]
Floats = NDArray[np.floating]
DIAGONAL, DELETION, INSERTION = 0, 1, 2


class Pair(NamedTuple):
    """A step of an alignment: places in the two sequences; None where the other has a word more."""

    spoken: int | None
    shown: int | None


def align_in_time(
    spoken: Sequence[str], spoken_s: Times, shown: Sequence[str], shown_s: Times
) -> list[Pair]:
    """Align the words that were shown with those that were spoken.

    Args:
        spoken: The reference's words.
        spoken_s: When each was spoken, in seconds of audio.
        shown: The hypothesis' words.
        shown_s: When each was spoken as the provider says, in seconds of audio.

    Returns:
        Every word of both, in order.

    >>> align_in_time("stop stop".split(), [1.0, 5.0], ["stop"], [5.2])
    [Pair(spoken=0, shown=None), Pair(spoken=1, shown=0)]
    """
    bands = _bands(np.asarray(spoken_s, float), np.asarray(shown_s, float))
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*spoken, *shown]))}
    theirs = np.array([numbers[word] for word in shown], dtype=np.int64)
    times = np.asarray(shown_s, float)
    first, last = bands[0]
    costs: Floats = EDIT * np.arange(first, last + 1, dtype=float)
    steps = [np.full(len(costs), INSERTION, np.uint8)]
    for row, word in enumerate(spoken, 1):
        distance_s = np.abs(times - spoken_s[row - 1])
        matches = EDIT * (theirs != numbers[word]) + distance_s
        matches[distance_s > REACH_S] = 3 * EDIT  # more than leaving both out
        costs, step = _next_row(costs, bands[row - 1], bands[row], matches)
        steps.append(step)
    return list(_walk_back(steps, bands))[::-1]


def _bands(spoken_s: Floats, shown_s: Floats) -> list[tuple[int, int]]:
    """For each number of spoken words, which numbers of shown words can go with it; inclusive.

    Bands only move forwards and overlap their neighbours, so that there is a way through.
    """
    count = len(shown_s)
    latest: Floats = np.maximum.accumulate(shown_s)
    earliest = np.minimum.accumulate(shown_s[::-1])[::-1]
    now_s: Floats = np.maximum.accumulate(spoken_s)
    low = np.searchsorted(latest, now_s - REACH_S)
    high = np.searchsorted(earliest, now_s + REACH_S, side="right")
    lows = [0, *map(int, low)]
    highs = [*map(int, high), count]
    highs = [max(here, *lows[at : at + 2]) for at, here in enumerate(highs)]
    lows[-1] = min(lows[-1], count)
    return [(first, max(first, last)) for first, last in zip(lows, highs, strict=True)]


def _next_row(
    before: Floats, old: tuple[int, int], new: tuple[int, int], matches: Floats
) -> tuple[Floats, NDArray[np.uint8]]:
    """The costs of the alignments that have consumed one spoken word more, and their last steps."""
    first, last = new
    width = last - first + 1
    up, diagonal = np.full(width, np.inf), np.full(width, np.inf)
    # Column `j` of the row before is `before[j - old[0]]`.
    from_, to = max(first, old[0]), min(last, old[1])
    if from_ <= to:
        up[from_ - first : to - first + 1] = before[from_ - old[0] : to - old[0] + 1] + EDIT
    from_, to = max(first, old[0] + 1), min(last, old[1] + 1)
    if from_ <= to:
        diagonal[from_ - first : to - first + 1] = (
            before[from_ - 1 - old[0] : to - old[0]] + matches[from_ - 1 : to]
        )
    best = np.minimum(up, diagonal)
    ramp = EDIT * np.arange(width)
    costs = np.minimum.accumulate(best - ramp) + ramp  # any number of insertions behind
    step = np.where(diagonal <= up, DIAGONAL, DELETION).astype(np.uint8)
    step[costs < best - 0.5] = INSERTION
    return costs, step


def _walk_back(steps: list[NDArray[np.uint8]], bands: list[tuple[int, int]]) -> Iterator[Pair]:
    row, column = len(steps) - 1, bands[-1][1]
    while row or column:
        step = steps[row][column - bands[row][0]]
        if step == INSERTION:
            column -= 1
            yield Pair(None, column)
        elif step == DELETION:
            row -= 1
            yield Pair(row, None)
        else:
            row, column = row - 1, column - 1
            yield Pair(row, column)

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import Measurement
from harness.verdicts.thresholds import read_thresholds
from reports.compare.differences import (
    Change,
    bounds_of,
    cliffs_delta,
    difference,
    differences,
    independent_share,
    lower_is_better,
    mover,
)
from tests.reports.journals import THRESHOLDS

FINITE = st.floats(-1e6, 1e6)
NUMBERS = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


def spread(values: Sequence[float]) -> Measurement:
    return Measurement(unit="s", samples=tuple(values))


def one(value: float, unit: str = "chunks", **more: object) -> Measurement:
    return Measurement(unit=unit, value=value, **more)  # type: ignore[arg-type]


@given(NUMBERS, NUMBERS)
def test_cliffs_delta_counts_pairs(base: list[float], head: list[float]) -> None:
    pairs = [(above > below) - (above < below) for below in base for above in head]
    assert cliffs_delta(base, head) == pytest.approx(sum(pairs) / len(pairs))


@given(st.tuples(FINITE, FINITE, FINITE).map(sorted), st.tuples(FINITE, FINITE, FINITE).map(sorted))
def test_an_interval_holds_the_difference_and_turns_with_the_sides(
    base: list[float], head: list[float]
) -> None:
    low, high = mover(base[1], (base[0], base[2]), head[1], (head[0], head[2]))
    assert low <= head[1] - base[1] <= high
    back = mover(head[1], (head[0], head[2]), base[1], (base[0], base[2]))
    assert (low, high) == pytest.approx((-back[1], -back[0]))
    assert high - low <= (base[2] - base[0]) + (head[2] - head[0]) + 1e-6


def test_never_is_worse_than_ever_and_like_itself() -> None:
    never = spread([math.inf] * 200)
    ever = spread([1.0] * 200)
    assert difference("m", "p50", ever, never, True).change is Change.WORSE
    assert difference("m", "p50", never, ever, True).change is Change.BETTER
    both = difference("m", "p50", never, never, True)
    assert (both.change, both.difference) == (Change.SAME, 0.0)


def test_a_shift_far_beyond_the_spread_is_told_and_a_small_one_is_not() -> None:
    generator = np.random.default_rng(1)
    base, same, slow = (list(generator.normal(1.0, 0.1, 200) * factor) for factor in (1, 1, 1.3))
    worse = difference("m", "p50", spread(base), spread(slow), True)
    assert worse.change is Change.WORSE
    assert worse.interval is not None
    assert worse.interval[0] < 0.3 < worse.interval[1]
    assert worse.ratio == pytest.approx(1.3, abs=0.05)
    assert worse.effect is not None
    assert worse.effect > 0.9
    assert difference("m", "p50", spread(base), spread(same), True).change is Change.SAME
    assert difference("m", "p50", spread(base), spread(slow), False).change is Change.BETTER
    assert difference("m", "p50", spread(base), spread(slow), None).change is Change.HIGHER


def test_two_runs_of_the_same_process_are_rarely_told_apart() -> None:
    generator = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        sides = []
        for _ in range(2):  # neighbours resemble each other, as chunks do
            noise = generator.normal(0, 1, 101)
            sides.append(spread(list(10 + noise[1:] + 0.8 * noise[:-1])))
        alarms += difference("m", "p50", sides[0], sides[1], True).change is not Change.SAME
    assert alarms <= 20  # one in ten, since each side has 95 %


def test_few_samples_prove_nothing() -> None:
    assert bounds_of(spread([1.0, 2.0]), "p95") == (1.0, math.inf)
    found = difference("m", "p95", spread([1.0, 1.1]), spread([9.0, 9.1]), True)
    assert (found.change, found.interval) == (Change.UNKNOWN, (-math.inf, math.inf))
    assert found.reason == "too few samples to bound the difference"


def test_samples_that_resemble_the_last_one_count_for_less() -> None:
    generator = np.random.default_rng(3)
    noise = list(generator.normal(0, 1, 400))
    walk = list(np.cumsum(noise))
    assert independent_share(noise) > 0.7
    assert independent_share(walk) < 0.1
    for samples in (noise, walk):
        low, high = bounds_of(spread(samples), "p50") or (0, 0)
        assert low <= sorted(samples)[200] <= high
    tight, wide = (bounds_of(spread(each), "p50") or (0, 0) for each in (noise, walk))
    assert (wide[1] - wide[0]) / np.std(walk) > (tight[1] - tight[0]) / np.std(noise)
    assert independent_share([1.0] * 50) == 1.0


def test_what_is_counted_needs_no_interval_and_what_is_timed_once_has_none() -> None:
    assert difference("m", "value", one(0), one(3), True).change is Change.WORSE
    assert difference("m", "value", one(3), one(3), True).change is Change.SAME
    timed = difference("m", "value", one(1, "s", count=1), one(3, "s", count=1), True)
    assert (timed.change, timed.interval) == (Change.UNKNOWN, None)
    assert "one observation each" in timed.reason
    depth = difference("m", "value", one(0.1), one(0.4), True)
    assert depth.change is Change.UNKNOWN


def test_an_absent_figure_is_named_with_its_reason() -> None:
    absent = Measurement(unit="s", absent="the corpus has no word times")
    found = differences({"m": spread([1.0])}, {"m": absent}, {})
    assert {each.change for each in found} == {Change.UNKNOWN}
    assert found[0].reason == "head: the corpus has no word times"
    assert found[0].difference is None
    assert found[0].ratio is None


def test_worse_comes_first_and_percentiles_are_those_that_thresholds_limit() -> None:
    thresholds = read_thresholds(THRESHOLDS)
    base = {"wer": one(0.1, "1", bounds=(0.09, 0.11)), "dropped_chunks": one(0)}
    head = {"wer": one(0.05, "1", bounds=(0.04, 0.06)), "dropped_chunks": one(1)}
    found = differences(base, head, thresholds)
    assert [(each.metric, each.change) for each in found] == [
        ("dropped_chunks", Change.WORSE), ("wer", Change.BETTER),
    ]  # fmt: skip
    assert lower_is_better("wer", thresholds)
    assert lower_is_better("speed", thresholds) is None

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.trends.change_points import MAX_POINTS, MIN_POINTS, ChangePoint, change_points
from tests.profiles import examples

SERIES = st.lists(st.floats(0, 10) | st.just(math.inf), max_size=30)


def noisy(generator: np.random.Generator, level: float, count: int) -> list[float]:
    """Nights of a shared runner: 5 %, and now and then one that is much slower."""
    spikes = np.where(generator.random(count) < 0.05, generator.uniform(1.2, 2, count), 1.0)
    return list(level * np.exp(generator.normal(0, 0.05, count)) * spikes)


@pytest.mark.parametrize("at", [8, 30, 50])
def test_a_change_of_a_fifth_is_found_where_it_is(at: int) -> None:
    found = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        series = noisy(generator, 1.0, at) + noisy(generator, 1.2, 60 - at)
        places = [each.at for each in change_points(series)]
        found += any(abs(place - at) <= 3 for place in places)
        assert len(places) <= 2
    assert found >= 16


def test_nothing_is_found_in_noise() -> None:
    generator = np.random.default_rng(7)
    alarms = sum(bool(change_points(noisy(generator, 1.0, 60))) for _ in range(200))
    assert alarms <= 1


def test_a_drop_that_comes_back_is_two_changes() -> None:
    generator = np.random.default_rng(3)
    series = [value for level in (1.0, 0.5, 1.0) for value in noisy(generator, level, 20)]
    found = change_points(series)
    assert [each.at for each in found] == [pytest.approx(20, abs=3), pytest.approx(40, abs=3)]
    assert found[0].ratio < 1 < found[1].ratio
    assert found[0].after == found[1].before


def test_one_bad_night_is_no_change() -> None:
    assert change_points([1.0] * 20 + [9.0] + [1.0] * 20) == []
    assert change_points([1.0] * 20 + [9.0] * (MIN_POINTS - 1)) == []


def test_a_change_too_small_to_matter_is_none() -> None:
    assert change_points([1.0] * 20 + [1.04] * 20) == []
    (found,) = change_points([1.0] * 20 + [1.06] * 20)
    assert (found.at, found.before, found.after) == (20, 1.0, 1.06)


def test_never_and_nothing_are_levels() -> None:
    (found,) = change_points([1.0] * 10 + [math.inf] * 10)
    assert (found.at, found.ratio) == (10, math.inf)
    (found,) = change_points([0.0] * 10 + [3.0] * 10)
    assert (found.at, found.ratio) == (10, math.inf)


@settings(max_examples=examples(50))
@given(SERIES)
def test_any_series_has_an_answer_and_always_the_same(series: list[float]) -> None:
    found = change_points(series)
    assert found == change_points(series)
    places = [0, *(each.at for each in found), len(series)]
    if found:
        assert all(b - a >= MIN_POINTS for a, b in pairwise(places))
    assert all(isinstance(each, ChangePoint) and each.p <= 0.001 for each in found)


def test_of_a_long_history_the_latest_is_looked_at() -> None:
    series = [5.0] * 300 + [1.0] * MAX_POINTS + [2.0] * 50
    assert [each.at for each in change_points(series)] == [300 + MAX_POINTS]

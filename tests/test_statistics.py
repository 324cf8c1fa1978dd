import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from statistics import median

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from harness import statistics
from harness.statistics import (
    binomial_cdf,
    bootstrap,
    bootstrap_ratio,
    claim,
    none_found_bound,
    percentile,
    percentile_bounds,
    robust_line,
    samples_needed,
    theil_sen,
)
from tests.profiles import examples

SHARES = ("0.5", "0.9", "0.95", "0.99", "0.999", "0.29", "0.57")
numbers = st.floats(-1e6, 1e6)


def exact_cdf(successes: int, trials: int, probability: Fraction) -> Fraction:
    return sum(
        (math.comb(trials, k) * probability**k * (1 - probability) ** (trials - k)
         for k in range(successes + 1)),
        Fraction(0),
    )  # fmt: skip


@given(st.lists(numbers | st.just(math.inf), min_size=1, max_size=60), st.sampled_from(SHARES))
@example([float(i) for i in range(100)], "0.29")  # 100 * 0.29 is less than 29
def test_a_percentile_is_the_sample_of_that_rank(samples: list[float], share: str) -> None:
    rank = math.floor(len(samples) * Fraction(share))
    found = percentile(samples, float(share))
    assert sum(sample < found for sample in samples) <= rank
    assert sum(sample <= found for sample in samples) > rank


@given(st.lists(numbers, min_size=1), st.floats(0, 1), st.floats(0, 1), st.randoms())
def test_percentiles_rise_and_know_no_order(
    samples: list[float], share: float, other: float, random: "np.random.Generator"
) -> None:
    low, high = sorted((share, other))
    assert percentile(samples, low) <= percentile(samples, high)
    shuffled = samples[:]
    random.shuffle(shuffled)
    assert percentile(shuffled, low) == percentile(samples, low)
    assert (percentile(samples, 0), percentile(samples, 1)) == (min(samples), max(samples))


def test_what_never_came_counts_as_the_worst() -> None:
    assert percentile([1.0] * 94 + [math.inf] * 6, 0.95) == math.inf
    assert percentile([1.0] * 96 + [math.inf] * 4, 0.95) == 1.0


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="not a number"):
        percentile([1.0, math.nan], 0.5)


@given(st.integers(1, 120), st.data(), st.fractions(0, 1, max_denominator=1000))
def test_the_binomial_sum_is_right(trials: int, data: st.DataObject, share: Fraction) -> None:
    successes = data.draw(st.integers(0, trials))
    exact = float(exact_cdf(successes, trials, share))
    assert binomial_cdf(successes, trials, float(share)) == pytest.approx(
        exact, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(("successes", "trials"), [(900, 1000), (20, 2000), (1780, 2000)])
def test_the_binomial_sum_is_right_for_many_trials(successes: int, trials: int) -> None:
    exact = float(exact_cdf(successes, trials, Fraction(9, 10)))
    assert binomial_cdf(successes, trials, 0.9) == pytest.approx(exact, rel=1e-8, abs=1e-300)


@pytest.fixture
def confidence(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        samples_needed.cache_clear()
        patch.setattr(statistics, "CONFIDENCE", request.param)
        yield
    samples_needed.cache_clear()


@pytest.mark.parametrize(
    ("confidence", "share", "needed"),
    [
        (0.95, 0.95, [59, 93, 124, 208]),
        (0.99, 0.95, [90, 130, 165, 259]),
        (0.95, 0.99, [299, 473, 628, 1049]),
        (0.99, 0.99, [459, 662, 838, 1307]),
    ],
    indirect=["confidence"],
)
@pytest.mark.usefixtures("confidence")
def test_the_samples_needed_are_those_of_the_table(share: float, needed: list[int]) -> None:
    """As MLPerf's load generator has them, 662 among them."""
    assert [samples_needed(violations, share) for violations in (0, 1, 2, 5)] == needed


@pytest.mark.parametrize("share", ["0.5", "0.9", "0.95"])
@pytest.mark.parametrize("violations", [0, 1, 3, 7])
def test_one_sample_less_proves_nothing(violations: int, share: str) -> None:
    """By exact arithmetic, and by trying one number after another."""
    allowed, limit = 1 - Fraction(share), Fraction(1, 20)
    count = violations + 1
    while exact_cdf(violations, count, allowed) > limit:
        count += 1
    assert samples_needed(violations, float(share)) == count
    assert claim(violations, count, float(share)) == "proven"
    assert claim(violations, count - 1, float(share)) != "proven"


@given(st.integers(0, 300), st.data(), st.sampled_from(SHARES[:4]))
def test_a_claim_is_judged_by_the_exact_test(samples: int, data: st.DataObject, share: str) -> None:
    violations = data.draw(st.integers(0, samples))
    allowed, limit = 1 - Fraction(share), Fraction(1, 20)
    few = exact_cdf(violations, samples, allowed)
    many = 1 - (exact_cdf(violations - 1, samples, allowed) if violations else 0)
    assume(min(abs(few - limit), abs(many - limit)) > Fraction(1, 10**9))
    expected = "proven" if few <= limit else "refuted" if many <= limit else "open"
    assert claim(violations, samples, float(share)) == expected


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200), st.sampled_from(SHARES[:4]),
       st.floats(0, 100))  # fmt: skip
def test_bounds_and_claims_say_the_same(samples: list[float], share: str, limit: float) -> None:
    """Proven where the upper bound keeps the limit, refuted where the lower one breaks it."""
    assume(len(samples) > 1)  # at one, the chance is one in twenty to the last digit
    low, high = percentile_bounds(samples, float(share))
    violations = sum(sample > limit for sample in samples)
    answer = claim(violations, len(samples), float(share))
    assert (answer == "proven") == (high <= limit)
    assert (answer == "refuted") == (low > limit)
    assert low <= percentile(samples, float(share)) <= high


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("count", [20, 59, 100, 300])
def test_the_true_percentile_is_missed_once_in_twenty_times_a_side(
    share: float, count: int
) -> None:
    """By drawing from a known distribution, 2000 times; never noticeably more often than that."""
    generator = np.random.default_rng([count, round(share * 100)])
    truth = -math.log(1 - share)  # of the exponential distribution
    draws = np.sort(generator.exponential(size=(2000, count)), axis=1)
    ranks = percentile_bounds([float(at) for at in range(count)], share)
    low = draws[:, int(ranks[0])] if math.isfinite(ranks[0]) else np.full(2000, -math.inf)
    high = draws[:, int(ranks[1])] if math.isfinite(ranks[1]) else np.full(2000, math.inf)
    slack = 3 * math.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(low > truth) <= 0.05 + slack
    assert np.mean(high < truth) <= 0.05 + slack
    assert np.mean((low <= truth) & (truth <= high)) >= 0.9 - 2 * slack


def test_too_few_samples_leave_the_percentile_unbounded() -> None:
    ordered = [float(at) for at in range(58)]
    assert percentile_bounds(ordered, 0.95)[1] == math.inf
    assert percentile_bounds([*ordered, 58.0], 0.95)[1] == 58.0


@given(st.lists(numbers, min_size=2, max_size=40))
def test_the_slope_is_the_median_over_all_pairs(values: list[float]) -> None:
    slopes = [(values[j] - values[i]) / (j - i) for i, j in combinations(range(len(values)), 2)]
    assert theil_sen(values) == pytest.approx(median(slopes), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=40), st.floats(-5, 5), st.floats(-5, 5))
def test_a_line_that_is_added_is_found_again(
    values: list[float], slope: float, offset: float
) -> None:
    moved = [value + slope * at + offset for at, value in enumerate(values)]
    assert theil_sen(moved) == pytest.approx(theil_sen(values) + slope, abs=1e-6)


def test_a_quarter_of_outliers_moves_the_slope_little() -> None:
    generator = np.random.default_rng(0)
    values = 0.004 * np.arange(200) + generator.normal(0, 0.005, 200)
    values[generator.choice(200, 50, replace=False)] += generator.uniform(1, 5, 50)
    assert theil_sen(values.tolist()) == pytest.approx(0.004, abs=0.0005)


def test_the_slope_of_a_day_takes_no_time() -> None:
    """Of 864 000 chunks; all pairs of them would be 370 thousand million."""
    generator = np.random.default_rng(0)
    values = 1e-6 * np.arange(864_000) + generator.normal(0, 0.01, 864_000)
    assert theil_sen(values.tolist()) == pytest.approx(1e-6, rel=0.01)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_a_slope_of_one_value_is_an_error(values: list[float]) -> None:
    with pytest.raises(ValueError, match="two values"):
        theil_sen(values)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 10)), min_size=1, max_size=30))
@settings(max_examples=examples(30))
def test_drawn_bounds_lie_around_the_ratio(units: list[tuple[int, int]]) -> None:
    parts, wholes = (np.array(column, float) for column in zip(*units, strict=True))
    low, high = bootstrap_ratio(parts, wholes)
    each = parts / wholes
    assert each.min() <= low + 1e-9
    assert low <= high
    assert parts.any() is np.False_ or high <= each.max() + 1e-9
    assert (low, high) == bootstrap_ratio(parts, wholes)


@pytest.mark.slow
def test_drawn_bounds_miss_the_truth_about_once_in_twenty_times_a_side() -> None:
    generator = np.random.default_rng(0)
    truth, below, above = 0.08, 0, 0
    for _ in range(200):
        wholes = generator.integers(5, 12, 60).astype(float)
        parts = generator.binomial(wholes.astype(int), truth).astype(float)
        low, high = bootstrap_ratio(parts, wholes, rounds=300)
        below, above = below + (high < truth), above + (low > truth)
    assert below <= 24
    assert above <= 20


@pytest.mark.parametrize(("words", "high"), [(3, 0.632), (10, 0.259), (59, 0.0495), (300, 0.00994)])
def test_no_error_in_a_few_words_proves_little(words: int, high: float) -> None:
    """Whatever is drawn from three perfect words is perfect; 3 / n is the rule of thumb."""
    low, found = bootstrap_ratio(np.zeros(1), np.array([float(words)]))
    assert low == 0
    assert found == pytest.approx(high, rel=0.01)


def test_units_without_words_are_drawn_too() -> None:
    assert bootstrap_ratio(np.array([0.0, 1.0]), np.array([0.0, 10.0])) == (0.1, 0.1)


points = st.lists(
    st.tuples(st.integers(0, 30).map(float), st.floats(-100, 100)), min_size=2, max_size=12
).filter(lambda pairs: len({x for x, _ in pairs}) > 1)


@given(points)
def test_a_robust_line_has_the_median_of_all_slopes(pairs: list[tuple[float, float]]) -> None:
    x, y = zip(*pairs, strict=True)
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i in range(len(x)) for j in range(i)
                    if x[i] != x[j])  # fmt: skip
    line = robust_line(x, y)
    assert line.slope == pytest.approx(median(slopes))
    rests = [value - line.slope * at for at, value in pairs]
    assert line.intercept == pytest.approx(median(rests), abs=1e-6)
    assert slopes[0] - 1e-9 <= line.low <= line.slope + 1e-9
    assert line.slope - 1e-9 <= line.high <= slopes[-1] + 1e-9


def test_a_robust_lines_bounds_hold_what_they_promise() -> None:
    """The true slope lies above the upper bound, and below the lower, about once in twenty."""
    generator = np.random.default_rng(4)
    x = np.arange(40.0)
    lines = [robust_line(x, 0.3 * x + generator.standard_normal(40)) for _ in range(400)]
    for missed in (sum(line.high < 0.3 for line in lines), sum(line.low > 0.3 for line in lines)):
        assert missed / 400 < 0.09


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0]])
def test_a_line_through_nothing_is_an_error(x: list[float]) -> None:
    with pytest.raises(ValueError, match=r"line|same x"):
        robust_line(x, x)


def test_blocks_make_bounds_wider_where_neighbours_are_alike() -> None:
    """Of a slow wave, single draws believe in far more information than there is."""
    generator = np.random.default_rng(5)
    walk = np.repeat(generator.standard_normal(20), 20)
    low, high = bootstrap(walk, lambda rows: float(np.mean(rows)))
    block_low, block_high = bootstrap(walk, lambda rows: float(np.mean(rows)), block=20)
    assert block_high - block_low > 2 * (high - low)


@given(st.integers(1, 5000))
def test_nothing_found_bounds_the_rate_exactly(count: int) -> None:
    bound = none_found_bound(count)
    assert binomial_cdf(0, count, bound) == pytest.approx(0.05)

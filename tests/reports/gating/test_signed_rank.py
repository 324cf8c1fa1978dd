import math
from itertools import product
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.gating.signed_rank import hodges_lehmann, signed_rank_p, upper_bound

TIED = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=9)
APART = st.lists(st.floats(-10, 10).filter(lambda x: abs(x) > 1e-6), min_size=1, max_size=9,
                 unique_by=abs)  # fmt: skip


def ranks_of(sizes: list[float]) -> list[float]:
    """Mean ranks, the slow way."""
    return [sum((other < size) + 0.5 * (other == size) for other in sizes) + 0.5 for size in sizes]


@given(st.one_of(TIED, APART))
def test_the_p_value_is_what_trying_all_signs_gives(differences: list[float]) -> None:
    kept = [each for each in differences if each]
    ranks = ranks_of([abs(each) for each in kept])
    observed = sum(rank for rank, each in zip(ranks, kept, strict=True) if each > 0)
    as_large = [
        sum(rank for rank, plus in zip(ranks, signs, strict=True) if plus) >= observed - 1e-9
        for signs in product((False, True), repeat=len(kept))
    ]
    assert signed_rank_p(differences) == pytest.approx(sum(as_large) / len(as_large))


@given(TIED)
def test_hodges_lehmann_is_the_median_of_pairwise_means(differences: list[float]) -> None:
    means = [(one + other) / 2 for at, one in enumerate(differences) for other in differences[at:]]
    assert hodges_lehmann(differences) == pytest.approx(median(means))
    moved = hodges_lehmann([each + 3 for each in differences])
    assert moved == pytest.approx(hodges_lehmann(differences) + 3)
    assert hodges_lehmann([-each for each in differences]) == pytest.approx(
        -hodges_lehmann(differences)
    )


@given(APART)
def test_the_bound_is_where_the_test_stops_rejecting(differences: list[float]) -> None:
    """Of shifts above the bound, the test rejects each; of those below, none."""
    bound = upper_bound(differences)
    if math.isinf(bound):
        assert 2 ** -len(differences) > 0.05
        return
    for shift, rejected in ((bound + 1e-4, True), (bound - 1e-4, False)):
        negative = [shift - each for each in differences]
        assert (signed_rank_p(negative) <= 0.05) is rejected
    assert bound >= hodges_lehmann(differences)


def test_published_values() -> None:
    """Hollander and Wolfe 1999, example 3.1 (depression scale factor IV): T+ = 5, n = 9."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    shifts = [a - b for a, b in zip(after, before, strict=True)]
    assert signed_rank_p([-each for each in shifts]) == pytest.approx(0.0195, abs=5e-4)
    assert hodges_lehmann(shifts) == pytest.approx(-0.46, abs=5e-3)
    assert signed_rank_p([1.0] * 8) == 2**-8

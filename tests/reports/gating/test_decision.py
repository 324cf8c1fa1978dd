"""The rule on made-up noise; the sizes of these samples are those that the issue asks for."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.verdicts.policy import Outcome
from reports.gating.decision import StoppingRule, alarms, decide
from reports.gating.deterministic import judge_exact
from reports.gating.schedule import Arm, turns
from tests.reports.gating.noise import measured_pairs, run_times

SESSIONS = 100
RULE = StoppingRule()


def outcomes(cost: float, seed: int) -> list[Outcome | None]:
    generator = np.random.default_rng(seed)
    return [
        decide(measured_pairs(generator, cost, RULE.pairs[-1]), RULE).outcome
        for _ in range(SESSIONS)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_an_unchanged_tree_never_fails(seed: int) -> None:
    found = outcomes(1.0, seed)
    assert found.count(Outcome.FAIL) == 0
    assert found.count(Outcome.PASS) >= 95


@pytest.mark.parametrize(("cost", "least"), [(1.10, 95), (1.20, 100)])
def test_a_cost_is_caught(cost: float, least: int) -> None:
    found = outcomes(cost, seed=3)
    assert found.count(Outcome.FAIL) >= least


def test_a_gain_passes() -> None:
    assert outcomes(0.8, seed=4).count(Outcome.PASS) == SESSIONS


def test_the_noise_is_of_the_kind_that_fools_a_stored_baseline() -> None:
    """Else the rule would have passed a test without difficulty: one run each, days apart."""
    generator = np.random.default_rng(5)
    flagged = sum(
        next(run_times(generator)) > 1.1 * next(run_times(generator)) for _ in range(1000)
    )
    assert 0.1 < flagged / 1000 < 0.3


def test_the_control_rarely_alarms_and_knows_both_directions() -> None:
    generator = np.random.default_rng(6)
    pairs = [measured_pairs(generator, 1.0, RULE.pairs[-1]) for _ in range(SESSIONS)]
    assert sum(alarms(each, RULE) for each in pairs) == 0
    assert alarms(measured_pairs(generator, 1.2, 24), RULE)
    assert alarms(measured_pairs(generator, 1 / 1.2, 24), RULE)


@given(st.lists(st.tuples(st.floats(0, math.inf), st.floats(0, math.inf)), max_size=30))
def test_any_pairs_get_a_decision_when_there_are_enough(pairs: list[tuple[float, float]]) -> None:
    found = decide(pairs, RULE)
    assert found.pairs in (0, *RULE.pairs)
    assert found.pairs <= len(pairs)
    if len(pairs) >= RULE.pairs[-1]:
        assert found.outcome is not None
    if len(pairs) < RULE.pairs[0]:
        assert found.outcome is None
    assert decide([(0.0, 0.0)] * 24, RULE).outcome is Outcome.PASS


def test_a_decision_stays_whatever_comes_later() -> None:
    slow, fast = [(1.0, 1.3)] * 8, [(1.0, 0.5)] * 16
    assert decide(slow, RULE) == decide([*slow, *fast], RULE)


def test_what_never_came_is_worse_than_anything() -> None:
    assert decide([(1.0, math.inf)] * 8, RULE).outcome is Outcome.FAIL
    assert decide([(math.inf, 1.0)] * 8, RULE).outcome is Outcome.PASS
    assert decide([(math.inf, math.inf)] * 8, RULE).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "mistake",
    [
        {"pairs": (8, 8, 24)}, {"pairs": (8,)}, {"pairs": (), "alpha": ()}, {"alpha": (0, 0, 0.5)},
        {"fail_ratio": 0.9}, {"pass_ratio": 1.01}, {"pairs": (0, 1, 2)}, {"alphas": (0.1,)},
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused(mistake: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(mistake, StoppingRule)


@given(st.integers(0, 5), st.integers(1, 5), st.booleans())
def test_every_arm_runs_as_often_and_drift_hits_all_alike(
    pair: int, repeats: int, control: bool
) -> None:
    order = turns(pair, repeats, control) + turns(pair + 1, repeats, control)
    arms = set(order)
    assert arms == set(Arm) - (set() if control else {Arm.CONTROL})
    places = {arm: [at for at, each in enumerate(order) if each is arm] for arm in arms}
    assert {len(each) for each in places.values()} == {2 * repeats}
    assert len({sum(each) for each in places.values()}) == 1


def test_exact_figures_fail_when_every_run_is_worse() -> None:
    def judge(base: list[float], head: list[float], lower: bool = True) -> Outcome:
        return judge_exact("m", base, head, lower, 0.01).outcome

    assert judge([0, 0], [1, 1]) is Outcome.FAIL
    assert judge([0, 0], [0, 9]) is Outcome.PASS
    assert judge([0.100], [0.1009]) is Outcome.PASS
    assert judge([0.100], [0.102]) is Outcome.FAIL
    assert judge([0.100], [0.05]) is Outcome.PASS
    assert judge([0.9, 0.9], [0.8, 0.85], lower=False) is Outcome.FAIL
    assert judge([0.8], [0.9], lower=False) is Outcome.PASS
    assert judge([math.inf], [math.inf]) is Outcome.PASS
    assert judge([1.0], [math.inf]) is Outcome.FAIL
    unsteady = judge_exact("m", [0, 1], [0, 0], True, 0.01)
    assert unsteady.reason == "differs among runs of base"

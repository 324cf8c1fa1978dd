"""The planted defect that no threshold can see: a head that costs a fifth more than its base.

It takes two trees, and `reports gate` judges it; here, its rule does, on trials of a provider and
of the same one made slower. `tests/reports/gating/test_real_gate.py` has the whole way, with trees.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from harness.verdicts.policy import Outcome
from reports.gating.decision import Decision, decide
from reports.gating.plan import read_plan
from tests.planted.defects import HEALTHY, Ground, Plant, measured

NUMBER = 8
SLOWER = 1.2
GATED = "inference"
BASE = Plant(HEALTHY, duration_s=60.0)
USUAL_S = 0.02
"""What a decode costs, and each second of its window, where nothing is planted."""


class Slowdown(NamedTuple):
    """How the gate judged one seed."""

    decision: Decision
    limit: float

    @property
    def caught(self) -> bool:
        """Whether the gate would fail the change."""
        return self.decision.outcome is Outcome.FAIL


def try_slowdown(seed: int, ground: Ground, folder: Path) -> Slowdown:
    """Measure base and head in turn up to the look that decides, as a gate does."""
    plan = read_plan()
    gated = plan.timed[GATED]
    pairs: list[tuple[float, float]] = []
    for begun, count in pairwise((0, *plan.rule.pairs)):
        for number in range(begun, count):
            costs = []
            for factor in (1.0, SLOWER):
                cost_s = USUAL_S * factor
                plant = replace(BASE, settings={"fixed_s": cost_s, "per_s": cost_s})
                spec = plant.spec(ground, 1000 * seed + number)
                journal = folder / f"slowdown-{seed}-{number}-{factor}.jsonl"
                (result,) = measured([spec], journal).values()
                value = gated.value_of(result.measurements)
                assert value is not None
                costs.append(gated.cost_of(value))
            pairs.append((costs[0], costs[1]))
        decision = decide(pairs, plan.rule)
        if decision.outcome is not None:
            break
    return Slowdown(decision, plan.rule.fail_ratio)

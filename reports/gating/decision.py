"""Decides by the figures of paired runs whether head costs more than base.

To fail, an effect must be both statistically significant and large enough to matter. There are few
looks, fixed beforehand, each with its own share of the allowed false alarms, so that repeated looks
don't add false alarms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from harness.verdicts.policy import Outcome
from reports.gating.signed_rank import hodges_lehmann, signed_rank_p, upper_bound

LARGEST_RATIO = 1e6
"""Used for infinite ratios and for division by zero."""


class StoppingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the pairs are tested, and what counts as proven."""

    pairs: tuple[int, ...] = (8, 16, 24)
    """After how many pairs there is a look."""
    alpha: tuple[float, ...] = (0.004, 0.003, 0.005)
    """Significance level of each look."""
    fail_ratio: float = 1.05
    """A smaller cost doesn't fail a change."""
    pass_ratio: float = 1.10
    """A change passes once its cost is below this with 95 % confidence."""

    def __post_init__(self) -> None:
        if len(self.pairs) != len(self.alpha) or not self.pairs:
            raise ValueError(f"pairs {self.pairs} and alpha {self.alpha}: one of each per look")
        if self.pairs[0] < 1 or any(one >= other for one, other in pairwise(self.pairs)):
            raise ValueError(f"pairs {self.pairs}: must grow from look to look")
        if not all(0 < each < 0.5 for each in self.alpha):
            raise ValueError(f"alpha {self.alpha}: each above 0 and below 0.5")
        if not 1 <= self.fail_ratio <= self.pass_ratio:
            raise ValueError(f"fail_ratio {self.fail_ratio}: from 1 to pass_ratio")


@dataclass(frozen=True)
class Decision:
    """The decision on one figure by the pairs so far."""

    outcome: Outcome | None
    """None while more pairs are needed."""
    pairs: int
    ratio: float
    """Hodges-Lehmann estimate of head / base."""
    upper: float
    """Upper bound of the true ratio, with 95 % confidence."""
    p: float
    """p-value of the one-sided signed-rank test."""


def decide(pairs: Sequence[tuple[float, float]], rule: StoppingRule) -> Decision:
    """Judge a figure of which lower is better.

    Args:
        pairs: Values of base and head, in the order of measurement; each at least 0, and infinite
            for an event that never happened.
        rule: When to look. Pairs after the last complete look don't count.

    >>> decide([(1.0, 1.2)] * 8, StoppingRule()).outcome
    <Outcome.FAIL: 'fail'>
    >>> decide([(1.0, 1.01)] * 8, StoppingRule()).outcome
    <Outcome.PASS: 'pass'>
    >>> decide([(1.0, 1.2)] * 7, StoppingRule()).outcome is None
    True
    """
    shifts = [_log_ratio(base, head) for base, head in pairs]
    decision = Decision(None, 0, math.nan, math.inf, 1.0)
    for count, alpha in zip(rule.pairs, rule.alpha, strict=True):
        if count > len(shifts):
            return decision
        seen = shifts[:count]
        ratio, upper = math.exp(hodges_lehmann(seen)), math.exp(min(99.0, upper_bound(seen)))
        p = signed_rank_p(seen)
        outcome = None
        if p < alpha and ratio >= rule.fail_ratio:
            outcome = Outcome.FAIL
        elif upper < rule.pass_ratio:
            outcome = Outcome.PASS
        elif count == rule.pairs[-1]:
            outcome = Outcome.INCONCLUSIVE
        decision = Decision(outcome, count, ratio, upper, p)
        if outcome is not None:
            break
    return decision


def alarms(pairs: Sequence[tuple[float, float]], rule: StoppingRule) -> bool:
    """Return whether pairs of the same revision seem to differ, in either direction."""
    swapped = [(head, base) for base, head in pairs]
    return Outcome.FAIL in (decide(pairs, rule).outcome, decide(swapped, rule).outcome)


def _log_ratio(base: float, head: float) -> float:
    if base == head:
        return 0.0
    logs = [math.log(each) if 0 < each < math.inf else (each or -math.inf) for each in (base, head)]
    most = math.log(LARGEST_RATIO)
    return max(-most, min(most, logs[1] - logs[0]))

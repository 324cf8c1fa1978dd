"""Whether pairs of runs prove that head costs more than base: a pure function of their figures.

Both an effect that chance hardly explains and one that matters are needed to fail. Looks are few
and fixed beforehand, each with its own share of the allowed false alarms, so that looking often
can't find what isn't there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from harness.verdicts.policy import Outcome
from reports.gating.signed_rank import hodges_lehmann, signed_rank_p, upper_bound

LARGEST_RATIO = 1e6
"""Stands for infinity and for a share of nothing."""


class StoppingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When it is looked, and what counts as proven."""

    pairs: tuple[int, ...] = (8, 16, 24)
    """After how many pairs it is looked."""
    alpha: tuple[float, ...] = (0.004, 0.003, 0.005)
    """At each look, how likely chance alone may be to look like a cost."""
    fail_ratio: float = 1.05
    """A cost below this isn't worth failing a change."""
    pass_ratio: float = 1.10
    """A change passes once its cost is below this with 95 % confidence."""

    def __post_init__(self) -> None:
        if len(self.pairs) != len(self.alpha) or not self.pairs:
            raise ValueError(f"pairs {self.pairs} and alpha {self.alpha}: one of each for a look")
        if self.pairs[0] < 1 or any(one >= other for one, other in pairwise(self.pairs)):
            raise ValueError(f"pairs {self.pairs}: must grow from look to look")
        if not all(0 < each < 0.5 for each in self.alpha):
            raise ValueError(f"alpha {self.alpha}: each above 0 and below 0.5")
        if not 1 <= self.fail_ratio <= self.pass_ratio:
            raise ValueError(f"fail_ratio {self.fail_ratio}: from 1 to pass_ratio")


@dataclass(frozen=True)
class Decision:
    """What the pairs so far say about one figure."""

    outcome: Outcome | None
    """None while more pairs are to come."""
    pairs: int
    ratio: float
    """Hodges-Lehmann estimate of head / base."""
    upper: float
    """What the true ratio is below, with 95 % confidence."""
    p: float
    """Of the one-sided signed-rank test."""


def decide(pairs: Sequence[tuple[float, float]], rule: StoppingRule) -> Decision:
    """Judge a figure of which less is better.

    Args:
        pairs: Base's and head's, in the order in which they were measured; each at least 0, and
            infinite where something never came.
        rule: When it is looked. Pairs after the last full look don't count.

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
    """Tell whether pairs of one and the same tree look as if they differed, either way."""
    swapped = [(head, base) for base, head in pairs]
    return Outcome.FAIL in (decide(pairs, rule).outcome, decide(swapped, rule).outcome)


def _log_ratio(base: float, head: float) -> float:
    if base == head:
        return 0.0
    logs = [math.log(each) if 0 < each < math.inf else (each or -math.inf) for each in (base, head)]
    most = math.log(LARGEST_RATIO)
    return max(-most, min(most, logs[1] - logs[0]))

"""Judges deterministic figures, such as errors, drops and lost samples.

They should be equal in all runs of a revision, so they are judged without statistics: head fails
when each of its runs is worse than each of base's. A figure that differs among a revision's runs is
reported.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.verdicts.policy import Outcome


@dataclass(frozen=True)
class ExactFinding:
    """The outcome of a figure."""

    metric: str
    outcome: Outcome
    base: tuple[float, float]
    """Minimum and maximum of the runs."""
    head: tuple[float, float]
    reason: str = ""


def judge_exact(
    metric: str,
    base: Sequence[float],
    head: Sequence[float],
    lower_is_better: bool,
    tolerance: float,
) -> ExactFinding:
    """Judge a figure.

    Args:
        metric: Its name.
        base: The values of base's runs; at least one.
        head: The values of head's runs; at least one.
        lower_is_better: The better direction.
        tolerance: Share of base's value by which head may be worse.

    >>> judge_exact("wer", [0.05, 0.05], [0.06, 0.06], True, 0.01).outcome
    <Outcome.FAIL: 'fail'>
    >>> judge_exact("drops", [0, 0], [0, 1], True, 0.01).reason
    'differs among runs of head'
    """
    sides = [(min(each), max(each)) for each in (base, head)]
    worst_of_base = sides[0][1] if lower_is_better else sides[0][0]
    best_of_head = sides[1][0] if lower_is_better else sides[1][1]
    loss = best_of_head - worst_of_base if lower_is_better else worst_of_base - best_of_head
    if best_of_head == worst_of_base or math.isnan(loss):
        loss = 0.0
    unsteady = [name for name, (least, most) in zip(("base", "head"), sides, strict=True)
                if least != most]  # fmt: skip
    reason = f"differs among runs of {' and '.join(unsteady)}" if unsteady else ""
    if loss > tolerance * abs(worst_of_base):
        return ExactFinding(metric, Outcome.FAIL, sides[0], sides[1], reason)
    return ExactFinding(metric, Outcome.PASS, sides[0], sides[1], reason)

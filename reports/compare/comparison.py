"""Compares the figures of the trials that two runs share."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.specs.trial import TrialSpec
from harness.verdicts.verdict import VerdictLevel
from reports.compare.comparable import require_comparable
from reports.compare.differences import Change, Difference, differences
from reports.runs import Run

STANDINGS = {
    Change.WORSE: VerdictLevel.FAIL,
    Change.BETTER: VerdictLevel.PASS,
    Change.HIGHER: VerdictLevel.WARN,
    Change.LOWER: VerdictLevel.WARN,
    Change.SAME: VerdictLevel.UNAVAILABLE,
    Change.UNKNOWN: VerdictLevel.INSUFFICIENT,
}
"""The level whose colour a change has."""
CHANGE_SIGNS = {
    Change.WORSE: "✗",
    Change.BETTER: "✓",
    Change.HIGHER: "↑",
    Change.LOWER: "↓",
    Change.SAME: "=",
    Change.UNKNOWN: "?",
}


@dataclass(frozen=True)
class TrialComparison:
    """A trial of both runs, with the differences of its figures."""

    spec: TrialSpec
    differences: list[Difference]


@dataclass(frozen=True)
class Comparison:
    """A run compared with its base."""

    base: Run
    head: Run
    trials: list[TrialComparison]

    def count(self, change: Change) -> int:
        """Count the figures with this change."""
        return sum(each.change is change for trial in self.trials for each in trial.differences)

    @property
    def level(self) -> VerdictLevel:
        """The level whose colour the comparison has."""
        if self.count(Change.WORSE):
            return VerdictLevel.FAIL
        return VerdictLevel.PASS if self.count(Change.BETTER) else VerdictLevel.UNAVAILABLE

    @property
    def sentence(self) -> str:
        """A sentence about what changed."""
        counts = [f"{count} {change}" for change in (Change.WORSE, Change.BETTER)
                  if (count := self.count(change))]  # fmt: skip
        return f"Figures of {self.head.info.run_id}: {', '.join(counts) or 'none worse or better'}"


def compare_runs(runs: Sequence[Run]) -> list[Comparison]:
    """Compare runs with the first of them.

    Args:
        runs: Two or more; the thresholds of the last define which direction is better.

    Raises:
        UsageError: Two of them can't be compared.
    """
    base, *heads = runs
    return [
        Comparison(
            base,
            head,
            [
                TrialComparison(
                    one.spec,
                    differences(one.measurements, other.measurements, runs[-1].thresholds),
                )
                for one, other in require_comparable(base, head)
            ],
        )
        for head in heads
    ]

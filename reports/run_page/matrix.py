"""Builds the page's matrix of verdicts: one row per threshold, one column per trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import Verdict
from reports.formatting import limit_with_unit, number
from reports.run_page.evidence import Evidence


@dataclass(frozen=True)
class Cell:
    """A verdict on a trial."""

    threshold: Threshold
    verdict: Verdict
    anchor: str
    """The anchor of its details."""
    evidence: Evidence | None
    """Its samples; None where the trial has no figures."""

    @property
    def value(self) -> str:
        """The value without its unit."""
        return "none" if self.verdict.value is None else number(self.verdict.value)

    @property
    def bounds(self) -> list[str]:
        """The value's bounds, and the number of its observations, where known."""
        verdict, parts = self.verdict, []
        if verdict.low is not None and verdict.high is not None:
            parts.append(f"{number(verdict.low)} to {number(verdict.high)}")
        if verdict.count is not None and verdict.count > 1:
            parts.append(f"from {number(verdict.count)}")
        return parts


@dataclass(frozen=True)
class Row:
    """A threshold in the matrix; a cell is None where it doesn't apply to the trial."""

    threshold: Threshold
    held_to: str
    cells: list[Cell | None]


def matrix(columns: Sequence[Sequence[Cell]], thresholds: dict[str, Threshold]) -> list[Row]:
    """Return one row per threshold that applies to a trial.

    Args:
        columns: The cells of each trial.
        thresholds: In the order of the rows.
    """
    rows = []
    for threshold in thresholds.values():
        cells = [
            next((cell for cell in column if cell.threshold is threshold), None)
            for column in columns
        ]
        held = [cell.verdict for cell in cells if cell is not None]
        if held:
            unit = next((verdict.unit for verdict in held if verdict.unit not in ("", "1")), "")
            rows.append(Row(threshold, held_to(threshold, unit), cells))
    return rows


def held_to(threshold: Threshold, unit: str) -> str:
    """Format a threshold in one line."""
    target, minimum = (
        limit_with_unit(limit, unit) for limit in (threshold.target, threshold.minimum)
    )
    words = f"must be {minimum}" if target == minimum else f"target {target}, minimum {minimum}"
    if threshold.statistic == "value":
        return words
    return f"{threshold.statistic} of {threshold.metric}, {words}"

"""Renders the HTML page of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.specs.trial import TrialSpec
from reports.compare.comparison import CHANGE_SIGNS, STANDINGS, Comparison
from reports.compare.differences import Difference
from reports.compare.forest import forest
from reports.run_page.html import render_template


@dataclass(frozen=True)
class _Trial:
    spec: TrialSpec
    differences: list[Difference]
    chart: Markup | None


@dataclass(frozen=True)
class _Shown:
    comparison: Comparison
    trials: list[_Trial]


def render_comparisons(comparisons: Sequence[Comparison]) -> str:
    """Render the page; the same runs give the same bytes."""
    shown = [
        _Shown(each, [_Trial(trial.spec, trial.differences, forest(trial.differences))
                      for trial in each.trials])
        for each in comparisons
    ]  # fmt: skip
    return render_template(
        "compare.html.j2", shown=shown, standing_of=STANDINGS, change_signs=CHANGE_SIGNS
    )

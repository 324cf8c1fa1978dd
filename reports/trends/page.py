"""The page of a history: what moved, when, and by which commits; then every series."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel
from reports.compare.comparison import CHANGE_SIGNS, STANDINGS
from reports.compare.differences import Change
from reports.run_page.html import render_template
from reports.trends.chart import course
from reports.trends.history import Record
from reports.trends.series import Moved, Series, all_series, commit_subjects

MAX_CHARTS = 60
"""Of one kind of machine; the tables have all series."""


@dataclass(frozen=True)
class Listed:
    """One change, with the commits it may come from."""

    series: Series
    moved: Moved
    commits: list[str]


@dataclass(frozen=True)
class MachineTrend:
    """Everything about one kind of machine."""

    name: str
    records: Sequence[Record]
    series: list[Series]
    changes: list[Listed]
    charts: list[tuple[Series, Markup]]

    @property
    def level(self) -> VerdictLevel:
        """The colour: what the newest change of each series says."""
        newest = {each.moved[-1].level for each in self.series if each.moved}
        return STANDINGS[Change.WORSE] if Change.WORSE in newest else VerdictLevel.PASS

    @property
    def newest(self) -> Record:
        """The newest run."""
        return self.records[-1]

    @property
    def sentence(self) -> str:
        """What moved, in a sentence."""
        worse = sum(bool(each.moved) and each.moved[-1].level is Change.WORSE
                    for each in self.series)  # fmt: skip
        runs = f"{len(self.records)} runs on {self.name}"
        if worse:
            figures = "1 figure" if worse == 1 else f"{worse} figures"
            return f"{runs}: {figures} got worse and stayed so"
        return f"{runs}: no figure got worse and stayed so"


def machine_trends(
    history: dict[str, list[Record]], thresholds: dict[str, Threshold], repository: Path
) -> list[MachineTrend]:
    """Work out what a history says.

    Args:
        history: Records by kind of machine.
        thresholds: They say which way is better, and which series are drawn.
        repository: Where commits are looked up.
    """
    trends = []
    for name, records in history.items():
        series = all_series(records, thresholds)
        changes = [Listed(each, moved, commit_subjects(repository, moved))
                   for each in series for moved in each.moved]  # fmt: skip
        changes.sort(key=lambda each: each.moved.first_after.started, reverse=True)
        limited = {threshold.metric for threshold in thresholds.values()}
        drawn = [each for each in series
                 if each.moved or each.figure.partition(" ")[0] in limited]  # fmt: skip
        charts = [(each, course(each)) for each in drawn[:MAX_CHARTS]]
        trends.append(MachineTrend(name, records, series, changes, charts))
    return trends


def render_trends(trends: Sequence[MachineTrend]) -> str:
    """Render the page; the same history and repository give the same bytes."""
    return render_template(
        "trend.html.j2", trends=trends, standing_of=STANDINGS, change_signs=CHANGE_SIGNS
    )

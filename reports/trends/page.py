"""Renders the page of a history: changes with their commits, and all series."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel
from reports.compare.comparison import CHANGE_SIGNS, STANDINGS
from reports.compare.differences import Change
from reports.run_page.html import render_template
from reports.trends.chart import trend_chart
from reports.trends.history import Record
from reports.trends.series import Moved, Series, all_series, commit_subjects

MAX_CHARTS = 60
"""Charts per machine class; the tables have all series."""


@dataclass(frozen=True)
class Listed:
    """A change, with the commits that may have caused it."""

    series: Series
    moved: Moved
    commits: list[str]


@dataclass(frozen=True)
class MachineTrend:
    """The trends on one machine class."""

    name: str
    records: Sequence[Record]
    series: list[Series]
    changes: list[Listed]
    charts: list[tuple[Series, Markup]]

    @property
    def level(self) -> VerdictLevel:
        """The level whose colour the trend has, by the newest change of each series."""
        newest = {each.moved[-1].level for each in self.series if each.moved}
        return STANDINGS[Change.WORSE] if Change.WORSE in newest else VerdictLevel.PASS

    @property
    def newest(self) -> Record:
        """The newest run."""
        return self.records[-1]

    @property
    def sentence(self) -> str:
        """A sentence about the changes."""
        worse = sum(bool(each.moved) and each.moved[-1].level is Change.WORSE
                    for each in self.series)  # fmt: skip
        runs = f"{len(self.records)} runs on {self.name}"
        if worse:
            figures = "1 figure" if worse == 1 else f"{worse} figures"
            return f"{runs}: {figures} got persistently worse"
        return f"{runs}: no figure got persistently worse"


def machine_trends(
    history: dict[str, list[Record]], thresholds: dict[str, Threshold], repository: Path
) -> list[MachineTrend]:
    """Find the trends of a history.

    Args:
        history: Records by machine class.
        thresholds: They define which direction is better, and which series are drawn.
        repository: The repository of the commits.
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
        charts = [(each, trend_chart(each)) for each in drawn[:MAX_CHARTS]]
        trends.append(MachineTrend(name, records, series, changes, charts))
    return trends


def render_trends(trends: Sequence[MachineTrend]) -> str:
    """Render the page; the same history and repository give the same bytes."""
    return render_template(
        "trend.html.j2", trends=trends, standing_of=STANDINGS, change_signs=CHANGE_SIGNS
    )

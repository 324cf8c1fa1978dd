"""Builds one series per figure over runs, with its change points and their commits."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.support.git import git
from harness.verdicts.thresholds import Threshold
from reports.compare.differences import Change, lower_is_better
from reports.trends.change_points import ChangePoint, change_points
from reports.trends.history import Record, Value

MAX_COMMITS = 20


@dataclass(frozen=True)
class Point:
    """A figure of one run."""

    record: Record
    value: float


@dataclass(frozen=True)
class Moved:
    """A change point, with its direction and the runs before and after."""

    change: ChangePoint
    level: Change
    last_before: Record
    first_after: Record

    @property
    def commits(self) -> str:
        """The range of commits between the two runs, in git's notation."""
        ends = [each.revision or "unknown" for each in (self.last_before, self.first_after)]
        short = [end.rstrip("+")[:10] + "+" * end.endswith("+") for end in ends]
        return f"{short[0]}..{short[1]}"


@dataclass(frozen=True)
class Series:
    """One figure of one trial on one machine class."""

    trial: str
    figure: str
    unit: str
    points: list[Point]
    moved: list[Moved]

    @property
    def latest(self) -> float:
        """The newest value."""
        return self.points[-1].value


def all_series(records: Sequence[Record], thresholds: dict[str, Threshold]) -> list[Series]:
    """Return all series of one machine class; the latest changes come first.

    Args:
        records: Oldest first.
        thresholds: They define which direction is better.
    """
    points: dict[tuple[str, str], list[Point]] = {}
    units: dict[str, str] = {}
    for record in records:
        units |= record.units
        for trial, figures in record.figures.items():
            for figure, value in figures.items():
                points.setdefault((trial, figure), []).append(Point(record, _number(value)))
    found = [
        Series(trial, figure, units.get(figure, ""), series,
               list(_moved(figure, series, thresholds)))
        for (trial, figure), series in points.items()
    ]  # fmt: skip
    return sorted(found, key=_newest_change, reverse=True)


def commit_subjects(repository: Path, moved: Moved) -> list[str]:
    """Return the commits of a change's range, newest first; none where git doesn't know them."""
    ends = [each.revision for each in (moved.last_before, moved.first_after)]
    if None in ends:
        return []
    span = "..".join((end or "").rstrip("+") for end in ends)
    try:
        log = git(repository, "log", "--oneline", f"-{MAX_COMMITS}", "--end-of-options", span)
    except UsageError:
        return []  # a shallow clone or another repository; the page still shows the range
    return log.splitlines()


def _moved(figure: str, series: list[Point], thresholds: dict[str, Threshold]) -> Iterator[Moved]:
    lower_better = lower_is_better(figure.partition(" ")[0], thresholds)
    for change in change_points([point.value for point in series]):
        rose = change.after > change.before
        if lower_better is None:
            level = Change.HIGHER if rose else Change.LOWER
        else:
            level = Change.WORSE if rose == lower_better else Change.BETTER
        yield Moved(change, level, series[change.at - 1].record, series[change.at].record)


def _newest_change(series: Series) -> tuple[bool, str]:
    if not series.moved:
        return False, ""
    last = series.moved[-1]
    return last.level is Change.WORSE, last.first_after.started


def _number(value: Value) -> float:
    return math.inf if value == "never" else float(value)

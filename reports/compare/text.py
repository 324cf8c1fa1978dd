"""Formats a comparison for the terminal, in 80 columns."""

from collections.abc import Iterator, Sequence

from harness.support.sanitize import sanitize
from reports.compare.comparison import CHANGE_SIGNS, Comparison
from reports.compare.differences import Change, Difference
from reports.formatting import number, with_unit

CAVEAT = (
    "Intervals cover the variation within two runs, not how a machine varies by the hour;",
    "to judge a change against a revision, use: echobench gate --base REV",
)


def comparison_lines(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield the lines of a comparison; figures without a clear difference are only counted."""
    for comparison in comparisons:
        yield f"{comparison.base.info.run_id} -> {comparison.head.info.run_id}"
        yield f"on {comparison.head.info.machine}"
        for trial in comparison.trials:
            yield ""
            yield sanitize(trial.spec.name)
            for each in trial.differences:
                if each.change not in (Change.SAME, Change.UNKNOWN):
                    yield from _difference_lines(each)
            for change in (Change.SAME, Change.UNKNOWN):
                names = [_name(each) for each in trial.differences if each.change is change]
                if names:
                    yield f"  {CHANGE_SIGNS[change]} {change}: {len(names)} figures"
        yield ""
        yield comparison.sentence
    yield from CAVEAT


def _difference_lines(each: Difference) -> Iterator[str]:
    values = f"{_value(each.base, each.unit)} -> {_value(each.head, each.unit)}"
    yield f"  {CHANGE_SIGNS[each.change]} {_name(each):<32} {values}  {each.change}"
    parts = []
    if each.ratio is not None:
        parts.append(f"x {each.ratio:.3g}")
    if each.interval is not None:
        parts.append("difference " + " to ".join(number(bound) for bound in each.interval))
    if each.effect is not None:
        parts.append(f"Cliff's delta {number(each.effect)}")
    if parts:
        yield f"      {'; '.join(parts)}"


def _value(value: float | None, unit: str) -> str:
    return with_unit(value, unit).replace("\N{NO-BREAK SPACE}", " ")


def _name(each: Difference) -> str:
    return each.metric if each.statistic == "value" else f"{each.metric} {each.statistic}"

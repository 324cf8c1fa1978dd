"""The answer in plain words: which trials pass, which fail, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.journal.events import RuleChecked
from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import Verdict, VerdictLevel, worst
from reports.formatting import limit_with_unit, with_unit

SIGNS = {
    VerdictLevel.PASS: "✓",
    VerdictLevel.WARN: "~",
    VerdictLevel.INSUFFICIENT: "?",
    VerdictLevel.UNAVAILABLE: "\N{EN DASH}",
    VerdictLevel.FAIL: "✗",
}
MEANINGS = {
    VerdictLevel.PASS: "the target is met",
    VerdictLevel.WARN: "the minimum is met, the target isn't",
    VerdictLevel.INSUFFICIENT: "too few samples to say",
    VerdictLevel.UNAVAILABLE: "no figure, for a known reason",
    VerdictLevel.FAIL: "the minimum is broken",
}
UNJUDGED = {VerdictLevel.INSUFFICIENT, VerdictLevel.UNAVAILABLE}
FAILING = {"minimum": {VerdictLevel.FAIL}, "target": {VerdictLevel.FAIL, VerdictLevel.WARN}}
"""By gate: the levels that fail a trial."""


@dataclass(frozen=True)
class Point:
    """One thing to say about a trial."""

    words: str
    decides: bool
    """Whether the trial stands as it does because of it."""


@dataclass(frozen=True)
class TrialAnswer:
    """How a trial stands under the gate, and why, worst first."""

    result: TrialResult
    level: VerdictLevel
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Answer:
    """How a whole run stands: one sentence, and each trial, worst first."""

    level: VerdictLevel
    sentence: str
    trials: tuple[TrialAnswer, ...]


def answer_for(results: Sequence[TrialResult], gate: str, finished: bool = True) -> Answer:
    """Say how a run stands.

    Args:
        results: Its trials.
        gate: "target" or "minimum": what fails a trial.
        finished: Whether all was measured that was meant to be.
    """
    order = list(VerdictLevel)
    trials = sorted(
        (_trial(result, gate) for result in results),
        key=lambda trial: order.index(trial.level),
        reverse=True,
    )
    levels = [trial.level for trial in trials]
    sentence = _sentence(levels)
    if not (finished and trials):
        levels.append(VerdictLevel.INSUFFICIENT)
    if not finished:
        sentence = f"broken off; {sentence}"
    level = worst(levels)
    if level in UNJUDGED:
        level = VerdictLevel.INSUFFICIENT  # of a whole run, both mean that more has to be measured
    return Answer(level, sentence[0].upper() + sentence[1:], tuple(trials))


def _sentence(levels: list[VerdictLevel]) -> str:
    """Sum up.

    >>> _sentence([VerdictLevel.PASS]), _sentence([VerdictLevel.PASS, VerdictLevel.FAIL])
    ('the trial passes', '1 of 2 trials fails')
    """
    if not levels:
        return "nothing was measured"
    if failed := levels.count(VerdictLevel.FAIL):
        return f"{_share(failed, levels)} {'fails' if failed == 1 else 'fail'}"
    if unjudged := sum(level in UNJUDGED for level in levels):
        return f"nothing fails; {_share(unjudged, levels)} can't be judged in full"
    if warned := levels.count(VerdictLevel.WARN):
        misses = "misses" if warned == 1 else "miss"
        return f"nothing fails; {_share(warned, levels)} {misses} a target"
    return "the trial passes" if len(levels) == 1 else f"all {len(levels)} trials pass"


def _share(part: int, levels: list[VerdictLevel]) -> str:
    return "the trial" if len(levels) == 1 else f"{part} of {len(levels)} trials"


def _trial(result: TrialResult, gate: str) -> TrialAnswer:
    if result.status is not TrialStatus.OK:
        words = f"{result.status.replace('_', ' ')}: {result.reason.partition(chr(10))[0]}"
        void = result.status is TrialStatus.VOID  # something beside the trial spoiled it
        level = VerdictLevel.UNAVAILABLE if void else VerdictLevel.FAIL
        return TrialAnswer(result, level, (Point(words, decides=True),))
    if result.checks:
        return TrialAnswer(
            result,
            result.level,
            (_rules_point(list(result.checks.values()), result.spec.activity),),
        )
    order = list(VerdictLevel)
    verdicts = sorted(result.verdicts.values(), key=lambda verdict: order.index(verdict.level))
    fails = any(verdict.level in FAILING[gate] for verdict in verdicts)
    deciding = FAILING[gate] if fails else _alike(result.level)
    passed = [verdict for verdict in verdicts if verdict.level is VerdictLevel.PASS]
    points = [
        Point(_verdict_words(verdict), verdict.level in deciding)
        for verdict in reversed(verdicts[len(passed) :])
    ]
    if passed:
        words = f"passes {len(passed)} of {len(verdicts)} thresholds"
        points.append(Point(words, decides=not points))
    return TrialAnswer(result, VerdictLevel.FAIL if fails else result.level, tuple(points))


def _alike(level: VerdictLevel) -> set[VerdictLevel]:
    return UNJUDGED if level in UNJUDGED else {level}


def _rules_point(checks: Sequence[RuleChecked], activity: Activity) -> Point:
    whose = "contract" if activity is Activity.CONFORMANCE else str(activity)
    broken = [check.check for check in checks if not check.passed]
    if not broken:
        return Point(f"keeps all {len(checks)} rules of the {whose}", decides=True)
    words = f"breaks {len(broken)} of {len(checks)} rules: {', '.join(broken)}"
    return Point(words, decides=True)


def _verdict_words(verdict: Verdict) -> str:
    """What a verdict that isn't a pass says, in a sentence without its end."""
    value = with_unit(verdict.value, verdict.unit)
    match verdict.level:
        case VerdictLevel.FAIL:
            limit = limit_with_unit(verdict.minimum, verdict.unit)
            return f"{verdict.threshold} is {value} and must be {limit}"
        case VerdictLevel.WARN:
            limit = limit_with_unit(verdict.target, verdict.unit)
            return f"{verdict.threshold} is {value}; the target is {limit}"
        case _:
            return f"{verdict.threshold} can't be judged: {verdict.reason}"

"""The answer in plain words: which trials pass, which fail, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.journal.events import RuleChecked
from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import Standing, Verdict, worst
from reports.formatting import limit_with_unit, with_unit

SIGNS = {
    Standing.PASS: "✓",
    Standing.WARN: "~",
    Standing.INSUFFICIENT: "?",
    Standing.UNAVAILABLE: "\N{EN DASH}",
    Standing.FAIL: "✗",
}
MEANINGS = {
    Standing.PASS: "the target is met",
    Standing.WARN: "the minimum is met, the target isn't",
    Standing.INSUFFICIENT: "too few samples to say",
    Standing.UNAVAILABLE: "no figure, for a known reason",
    Standing.FAIL: "the minimum is broken",
}
UNJUDGED = {Standing.INSUFFICIENT, Standing.UNAVAILABLE}
FAILING = {"minimum": {Standing.FAIL}, "target": {Standing.FAIL, Standing.WARN}}
"""By gate: the standings that fail a trial."""


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
    standing: Standing
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Answer:
    """How a whole run stands: one sentence, and each trial, worst first."""

    standing: Standing
    sentence: str
    trials: tuple[TrialAnswer, ...]


def answer_for(results: Sequence[TrialResult], gate: str, finished: bool = True) -> Answer:
    """Say how a run stands.

    Args:
        results: Its trials.
        gate: "target" or "minimum": what fails a trial.
        finished: Whether all was measured that was meant to be.
    """
    order = list(Standing)
    trials = sorted(
        (_trial(result, gate) for result in results),
        key=lambda trial: order.index(trial.standing),
        reverse=True,
    )
    standings = [trial.standing for trial in trials]
    sentence = _sentence(standings)
    if not (finished and trials):
        standings.append(Standing.INSUFFICIENT)
    if not finished:
        sentence = f"broken off; {sentence}"
    standing = worst(standings)
    if standing in UNJUDGED:
        standing = Standing.INSUFFICIENT  # of a whole run, both mean that more has to be measured
    return Answer(standing, sentence[0].upper() + sentence[1:], tuple(trials))


def _sentence(standings: list[Standing]) -> str:
    """Sum up.

    >>> _sentence([Standing.PASS]), _sentence([Standing.PASS, Standing.FAIL])
    ('the trial passes', '1 of 2 trials fails')
    """
    if not standings:
        return "nothing was measured"
    if failed := standings.count(Standing.FAIL):
        return f"{_share(failed, standings)} {'fails' if failed == 1 else 'fail'}"
    if unjudged := sum(standing in UNJUDGED for standing in standings):
        return f"nothing fails; {_share(unjudged, standings)} can't be judged in full"
    if warned := standings.count(Standing.WARN):
        misses = "misses" if warned == 1 else "miss"
        return f"nothing fails; {_share(warned, standings)} {misses} a target"
    return "the trial passes" if len(standings) == 1 else f"all {len(standings)} trials pass"


def _share(part: int, standings: list[Standing]) -> str:
    return "the trial" if len(standings) == 1 else f"{part} of {len(standings)} trials"


def _trial(result: TrialResult, gate: str) -> TrialAnswer:
    if result.status is not TrialStatus.OK:
        words = f"{result.status.replace('_', ' ')}: {result.reason.partition(chr(10))[0]}"
        void = result.status is TrialStatus.VOID  # something beside the trial spoiled it
        standing = Standing.UNAVAILABLE if void else Standing.FAIL
        return TrialAnswer(result, standing, (Point(words, decides=True),))
    if result.checks:
        return TrialAnswer(
            result,
            result.standing,
            (_rules_point(list(result.checks.values()), result.spec.activity),),
        )
    order = list(Standing)
    verdicts = sorted(result.verdicts.values(), key=lambda verdict: order.index(verdict.standing))
    fails = any(verdict.standing in FAILING[gate] for verdict in verdicts)
    deciding = FAILING[gate] if fails else _alike(result.standing)
    passed = [verdict for verdict in verdicts if verdict.standing is Standing.PASS]
    points = [
        Point(_verdict_words(verdict), verdict.standing in deciding)
        for verdict in reversed(verdicts[len(passed) :])
    ]
    if passed:
        words = f"passes {len(passed)} of {len(verdicts)} thresholds"
        points.append(Point(words, decides=not points))
    return TrialAnswer(result, Standing.FAIL if fails else result.standing, tuple(points))


def _alike(standing: Standing) -> set[Standing]:
    return UNJUDGED if standing in UNJUDGED else {standing}


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
    match verdict.standing:
        case Standing.FAIL:
            limit = limit_with_unit(verdict.minimum, verdict.unit)
            return f"{verdict.threshold} is {value} and must be {limit}"
        case Standing.WARN:
            limit = limit_with_unit(verdict.target, verdict.unit)
            return f"{verdict.threshold} is {value}; the target is {limit}"
        case _:
            return f"{verdict.threshold} can't be judged: {verdict.reason}"

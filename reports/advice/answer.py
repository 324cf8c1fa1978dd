"""States a run's outcome in words: which trials pass, which fail, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Finding, Outcome, RunJudgement, TrialJudgement
from harness.verdicts.verdict import Verdict, VerdictLevel
from reports.formatting import limit_with_unit, with_unit


@dataclass(frozen=True)
class Point:
    """One statement about a trial."""

    words: str
    decides: bool
    """Whether it decides the trial's outcome."""


@dataclass(frozen=True)
class TrialAnswer:
    """A trial's outcome, and its reasons, worst first."""

    judgement: TrialJudgement
    points: tuple[Point, ...]

    @property
    def result(self) -> TrialResult:
        """The trial."""
        return self.judgement.result

    @property
    def outcome(self) -> Outcome:
        """Its outcome."""
        return self.judgement.outcome


@dataclass(frozen=True)
class Answer:
    """A run's outcome: one sentence, and each trial, worst first."""

    outcome: Outcome
    sentence: str
    trials: tuple[TrialAnswer, ...]


def answer_for(run: RunJudgement) -> Answer:
    """State a run's outcome in words."""
    order = list(Outcome)
    trials = sorted(run.trials, key=lambda trial: order.index(trial.outcome), reverse=True)
    sentence = run.sentence[0].upper() + run.sentence[1:]
    return Answer(run.outcome, sentence, tuple(TrialAnswer(each, _points(each)) for each in trials))


def _points(trial: TrialJudgement) -> tuple[Point, ...]:
    result = trial.result
    if result.status is not TrialStatus.OK:
        return tuple(Point(each.reason.replace("_", " ", 1), True) for each in trial.findings)
    if result.checks:
        return (_rules_point(trial.findings, result.spec.activity),)
    open_ = [each for each in trial.findings if each.level is not VerdictLevel.PASS]
    points = [
        Point(_verdict_words(result.verdicts[each.subject]), each.outcome is trial.outcome)
        for each in open_
    ]
    if passed := len(trial.findings) - len(open_):
        words = f"passes {passed} of {len(trial.findings)} thresholds"
        points.append(Point(words, decides=not points))
    return tuple(points)


def rules_owner(activity: Activity) -> str:
    """Return what the rules of an activity belong to.

    >>> rules_owner(Activity.CONFORMANCE), rules_owner(Activity.LADDER)
    ('contract', 'ladder')
    """
    return "contract" if activity is Activity.CONFORMANCE else str(activity)


def _rules_point(findings: Sequence[Finding], activity: Activity) -> Point:
    owner = rules_owner(activity)
    broken = [each.subject for each in findings if each.outcome is Outcome.FAIL]
    if not broken:
        return Point(f"keeps all {len(findings)} rules of the {owner}", decides=True)
    words = f"breaks {len(broken)} of {len(findings)} rules: {', '.join(broken)}"
    return Point(words, decides=True)


def _verdict_words(verdict: Verdict) -> str:
    """Return a clause about a verdict that isn't a pass."""
    value = with_unit(verdict.value, verdict.unit)
    match verdict.level:
        case VerdictLevel.FAIL:
            limit = limit_with_unit(verdict.minimum, verdict.unit)
            return f"{verdict.threshold} is {value} and must be {limit}"
        case VerdictLevel.WARN:
            limit = limit_with_unit(verdict.target, verdict.unit)
            return f"{verdict.threshold} is {value}; the target is {limit}"
        case VerdictLevel.SUSPECT:
            return f"{verdict.threshold} is {value}: {verdict.reason}"
        case _:
            return f"{verdict.threshold} can't be judged: {verdict.reason}"

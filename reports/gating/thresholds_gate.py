"""A run held to its thresholds, as an outcome that a pipeline can act on."""

from dataclasses import dataclass, field

from harness.specs.trial import TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import VerdictLevel
from reports.gating.decision import Outcome
from reports.runs import Run

INVALID = {TrialStatus.VOID, TrialStatus.HARNESS_ERROR, TrialStatus.INTERRUPTED}
"""Statuses that say nothing about the provider."""


@dataclass
class AbsoluteResult:
    """What a run's verdicts add up to, with what stands against a pass."""

    outcome: Outcome = Outcome.PASS
    points: list[tuple[Outcome, str]] = field(default_factory=list)
    judged: int = 0
    """Verdicts and rules looked at."""

    def add(self, outcome: Outcome, words: str) -> None:
        """Note something, and let the outcome be no better than it."""
        self.points.append((outcome, words))
        order = list(Outcome)
        self.outcome = max(self.outcome, outcome, key=order.index)


def judge_run(run: Run, gate: str) -> AbsoluteResult:
    """Judge a run.

    A figure that can't be judged is inconclusive and never a pass, except where its threshold says
    that it isn't true on the trial's clock; then the trial isn't held to it.

    Args:
        run: With its verdicts.
        gate: "target" or "minimum": which of a threshold's limits has to be kept.
    """
    result = AbsoluteResult()
    if run.info.finished is None:
        result.add(Outcome.INVALID, "the run was broken off")
    if not run.results:
        result.add(Outcome.INVALID, "nothing was measured")
    for trial in run.results:
        _judge_trial(trial, run, gate, result)
    if run.results and not result.judged and result.outcome is Outcome.PASS:
        result.add(Outcome.INVALID, "no threshold applies to any trial")
    return result


def _judge_trial(trial: TrialResult, run: Run, gate: str, result: AbsoluteResult) -> None:
    name = trial.spec.name
    if trial.status is not TrialStatus.OK:
        outcome = Outcome.INVALID if trial.status in INVALID else Outcome.FAIL
        result.add(outcome, f"{name}: {trial.status}: {trial.reason.partition(chr(10))[0]}")
        return
    for check in trial.checks.values():
        result.judged += 1
        if not check.passed:
            result.add(Outcome.FAIL, f"{name}: breaks {check.check}")
    for verdict in trial.verdicts.values():
        if trial.spec.clock not in run.thresholds[verdict.threshold].clocks:
            continue
        result.judged += 1
        words = f"{name}: {verdict.threshold}: {verdict.reason}"
        if verdict.level is VerdictLevel.FAIL or (
            verdict.level is VerdictLevel.WARN and gate == "target"
        ):
            result.add(Outcome.FAIL, words)
        elif verdict.level in (VerdictLevel.INSUFFICIENT, VerdictLevel.UNAVAILABLE):
            result.add(Outcome.INCONCLUSIVE, words)

"""Decides whether a test, a trial and a run pass, and why.

It is the only place that does: pytest's outcomes, the terminal's table, the page, the summary, the
gate and the trends all use it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from harness.specs.options import Options
from harness.specs.trial import TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel


class Outcome(StrEnum):
    """Outcome of a verdict, a trial or a run, worst last."""

    PASS = "pass"
    """All targets are met."""
    WARN = "warn"
    """All minimums are met, but not all targets."""
    INCONCLUSIVE = "inconclusive"
    """Something could not be judged."""
    FAIL = "fail"
    """A limit of the gate or a rule is broken, or the provider failed."""
    INVALID = "invalid"
    """The result says nothing about the provider."""


SPOILED = frozenset({TrialStatus.VOID, TrialStatus.HARNESS_ERROR, TrialStatus.INTERRUPTED})
"""Statuses that say nothing about the provider."""


@dataclass(frozen=True)
class Policy:
    """How strict a run is."""

    gate: str = "minimum"
    """The limit that a threshold must keep: "target" or "minimum"."""
    strict: bool = False
    """Whether a threshold that can't be judged fails."""

    @classmethod
    def of(cls, options: Options) -> "Policy":
        """The policy of a run's options."""
        return cls(options.gate, options.strict)

    def outcome_of(self, level: VerdictLevel) -> Outcome:
        """The outcome of a verdict.

        >>> levels = list(VerdictLevel)
        >>> [str(Policy("minimum").outcome_of(level)) for level in levels]
        ['pass', 'warn', 'warn', 'inconclusive', 'inconclusive', 'fail']
        >>> [str(Policy("target", strict=True).outcome_of(level)) for level in levels]
        ['pass', 'fail', 'warn', 'fail', 'fail', 'fail']
        """
        match level:
            case VerdictLevel.WARN:
                return Outcome.FAIL if self.gate == "target" else Outcome.WARN
            case VerdictLevel.SUSPECT:
                return Outcome.WARN
            case VerdictLevel.INSUFFICIENT | VerdictLevel.UNAVAILABLE:
                return Outcome.FAIL if self.strict else Outcome.INCONCLUSIVE
        return Outcome(level)

    def skips(self, status: TrialStatus, outcome: Outcome) -> bool:
        """Whether a test with that outcome is skipped.

        >>> Policy().skips(TrialStatus.VOID, Outcome.INVALID)
        True
        >>> Policy().skips(TrialStatus.HARNESS_ERROR, Outcome.INVALID)  # never skipped
        False
        """
        void = status is TrialStatus.VOID and not self.strict
        return outcome is Outcome.INCONCLUSIVE or void


@dataclass(frozen=True)
class Finding:
    """The outcome of one threshold or rule of a trial, or of the trial as a whole."""

    outcome: Outcome
    subject: str
    """The threshold or the rule; empty for the trial as a whole."""
    reason: str
    level: VerdictLevel | None = None
    """The verdict's level, for a threshold."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}" if self.subject else self.reason


@dataclass(frozen=True)
class TrialJudgement:
    """A trial's outcome and findings, worst first."""

    result: TrialResult
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of the findings."""
        return worst(finding.outcome for finding in self.findings)

    @property
    def deciding(self) -> list[Finding]:
        """The findings with the trial's outcome."""
        return [finding for finding in self.findings if finding.outcome is self.outcome]


@dataclass(frozen=True)
class RunJudgement:
    """A run's outcome, and the judgements of its trials in the order of the run."""

    outcome: Outcome
    sentence: str
    trials: tuple[TrialJudgement, ...]

    @property
    def judged(self) -> int:
        """The number of judged thresholds and rules."""
        return sum(bool(finding.subject) for trial in self.trials for finding in trial.findings)


def judge_threshold(result: TrialResult, name: str, policy: Policy) -> Finding:
    """Judge one threshold on a trial that it applies to."""
    if result.status is not TrialStatus.OK:
        return _ended_early(result)
    verdict = result.verdicts[name]
    return Finding(policy.outcome_of(verdict.level), name, verdict.reason, verdict.level)


def judge_rule(result: TrialResult, name: str) -> Finding:
    """Judge one rule on a trial that tried it."""
    if result.status is not TrialStatus.OK:
        return _ended_early(result)
    check = result.checks[name]
    return Finding(Outcome.PASS if check.passed else Outcome.FAIL, name, check.detail)


def judge_trial(result: TrialResult, policy: Policy) -> TrialJudgement:
    """Judge a trial; one that didn't end well is judged by its status alone."""
    if result.status is not TrialStatus.OK:
        return TrialJudgement(result, (_ended_early(result),))
    findings = [judge_rule(result, name) for name in result.checks]
    findings += [judge_threshold(result, name, policy) for name in result.verdicts]
    levels, outcomes = list(VerdictLevel), list(Outcome)
    findings.sort(
        key=lambda each: (outcomes.index(each.outcome), levels.index(each.level or levels[0])),
        reverse=True,
    )
    return TrialJudgement(result, tuple(findings))


def judge_run(results: Sequence[TrialResult], policy: Policy, finished: bool) -> RunJudgement:
    """Judge a run.

    Args:
        results: Its trials.
        policy: How strict it is.
        finished: Whether all planned trials were measured.
    """
    trials = tuple(judge_trial(result, policy) for result in results)
    outcomes = [trial.outcome for trial in trials]
    run = RunJudgement(worst(outcomes), _sentence(outcomes), trials)
    if run.outcome is Outcome.PASS and not run.judged:
        sentence = "no threshold applies to any trial" if trials else "nothing was measured"
        run = RunJudgement(Outcome.INVALID, sentence, trials)
    if not finished:
        run = RunJudgement(Outcome.INVALID, f"the run was broken off; {run.sentence}", trials)
    return run


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several outcomes; `PASS` of none.

    >>> worst([Outcome.PASS, Outcome.FAIL, Outcome.WARN])
    <Outcome.FAIL: 'fail'>
    """
    return max(outcomes, key=list(Outcome).index, default=Outcome.PASS)


def not_judged_here(specs: Iterable[TrialSpec], thresholds: dict[str, Threshold]) -> list[str]:
    """Name the thresholds that apply on another clock only, in one sentence per clock."""
    specs = list(specs)
    by_clock: dict[str, list[str]] = {}
    for name, threshold in thresholds.items():
        clock = threshold.clocks[0]
        there = [msgspec.structs.replace(spec, clock=clock) for spec in specs]
        if any(map(threshold.applies_to, there)) and not any(map(threshold.applies_to, specs)):
            by_clock.setdefault(clock, []).append(name)
    return [f"not judged on this clock: {', '.join(names)}; run with --clock {clock}"
            for clock, names in by_clock.items()]  # fmt: skip


def _ended_early(result: TrialResult) -> Finding:
    outcome = Outcome.INVALID if result.status in SPOILED else Outcome.FAIL
    return Finding(outcome, "", f"{result.status}: {result.reason.partition(chr(10))[0]}")


def _sentence(outcomes: Sequence[Outcome]) -> str:
    """Sum up the outcomes of trials in a sentence.

    >>> _sentence([Outcome.PASS]), _sentence([Outcome.PASS, Outcome.FAIL])
    ('the trial passes', '1 of 2 trials fails')
    >>> _sentence([Outcome.WARN, Outcome.INVALID, Outcome.FAIL])
    '1 of 3 trials says nothing about its provider; 1 of 3 trials fails'
    """
    clauses = [
        _share(outcomes, Outcome.INVALID, "says nothing about its provider",
               "say nothing about their provider"),
        _share(outcomes, Outcome.FAIL, "fails", "fail"),
    ]  # fmt: skip
    if any(clauses):
        return "; ".join(filter(None, clauses))
    for outcome, one, many in (
        (Outcome.INCONCLUSIVE, "can't be judged in full", "can't be judged in full"),
        (Outcome.WARN, "misses a target", "miss a target"),
    ):
        if clause := _share(outcomes, outcome, one, many):
            return f"nothing fails; {clause}"
    return "the trial passes" if len(outcomes) == 1 else f"all {len(outcomes)} trials pass"


def _share(outcomes: Sequence[Outcome], which: Outcome, one: str, many: str) -> str:
    count = sum(outcome is which for outcome in outcomes)
    if not count:
        return ""
    subject = "the trial" if len(outcomes) == 1 else f"{count} of {len(outcomes)} trials"
    return f"{subject} {one if count == 1 else many}"

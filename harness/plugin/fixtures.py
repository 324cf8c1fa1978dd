"""Fixtures for the suites' tests: a judged threshold, a tried rule, or the resident model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import pytest

from harness.plugin.session import SESSION
from harness.specs.rules import rules_of
from harness.specs.trial import TrialStatus
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Finding, Outcome, Policy, judge_rule, judge_threshold
from harness.verdicts.verdict import Verdict


@dataclass(frozen=True)
class Judged:
    """A threshold on a trial, with the run's policy."""

    result: TrialResult
    threshold: str
    policy: Policy

    def check(self) -> None:
        """Pass, fail or skip the test, as the policy decides."""
        finding = judge_threshold(self.result, self.threshold, self.policy)
        words = describe(self.result.verdicts[self.threshold])
        settle(self.result, finding, self.policy, words)


@dataclass(frozen=True)
class TriedRule:
    """A rule of the contract or the ladder on a provider, with the run's policy."""

    result: TrialResult
    name: str
    policy: Policy

    def check(self) -> None:
        """Pass, fail or skip the test, as the policy decides."""
        finding = judge_rule(self.result, self.name)
        words = f"{rules_of(self.result.spec.activity)[self.name]}\n{finding.reason}"
        settle(self.result, finding, self.policy, words)


def settle(result: TrialResult, finding: Finding, policy: Policy, words: str) -> None:
    """Pass, fail or skip the test of a finding.

    Args:
        result: The trial.
        finding: The finding on it.
        policy: How strict the run is.
        words: The reason to give if the trial itself ended well.
    """
    if finding.outcome in (Outcome.PASS, Outcome.WARN):
        return
    if result.status is not TrialStatus.OK:
        words = f"trial {result.spec.name}: {result.status}\n{result.reason}"
    if policy.skips(result.status, finding.outcome):
        pytest.skip(sanitize(finding.reason if result.status is not TrialStatus.OK else words))
    fail_with(words)


def fail_with(reason: str) -> NoReturn:
    """Fail the test, with a reason that is safe to print on a terminal."""
    pytest.fail("\n".join(map(sanitize, reason.splitlines())), pytrace=False)


def describe(verdict: Verdict) -> str:
    """Describe a verdict in one line."""
    value = "no value" if verdict.value is None else f"{verdict.value:.4g} {verdict.unit}"
    limits = f"target {verdict.target}, minimum {verdict.minimum}"
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.level}: {verdict.threshold} is {value} ({limits}){reason}"


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """One threshold on one trial."""
    session = request.config.stash[SESSION]
    spec, threshold = request.param
    return Judged(session.results[spec.key], threshold, Policy.of(session.options))


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> TriedRule:
    """One rule of the contract, or of the ladder, on one provider."""
    spec, name = request.param
    session = request.config.stash[SESSION]
    return TriedRule(session.results[spec.key], name, Policy.of(session.options))


@pytest.fixture
def resident(request: pytest.FixtureRequest) -> Callable[[], None]:
    """A function that recognises one chunk of speech on the resident model."""
    session = request.config.stash[SESSION]
    return lambda: session.infer(request.param)

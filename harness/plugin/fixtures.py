"""What the suites' tests get."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import pytest

from harness.plugin.session import SESSION
from harness.specs.trial import TrialStatus
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.rules import rules_of
from harness.verdicts.verdict import Verdict, VerdictLevel


@dataclass(frozen=True)
class Judged:
    """A threshold on a trial, and how strict the run is about it."""

    result: TrialResult
    threshold: str
    gate: str
    strict: bool

    def check(self) -> None:
        """Pass, fail or skip the test, as the verdict and the gate say."""
        if self.result.status is not TrialStatus.VOID:
            require_figures(self.result)
        verdict = self.result.verdicts[self.threshold]
        failing = {VerdictLevel.FAIL}
        if self.gate == "target":
            failing.add(VerdictLevel.WARN)
        if self.strict:
            failing |= {VerdictLevel.INSUFFICIENT, VerdictLevel.UNAVAILABLE}
        if verdict.level in failing:
            fail_with(describe(verdict))
        if verdict.level in (VerdictLevel.INSUFFICIENT, VerdictLevel.UNAVAILABLE):
            pytest.skip(describe(verdict))


@dataclass(frozen=True)
class TriedRule:
    """A rule on a provider, of the contract or of the ladder."""

    result: TrialResult
    name: str
    strict: bool

    def check(self) -> None:
        """Fail the test if the rule was broken; skip it if something spoiled the trial."""
        if self.result.status is TrialStatus.VOID and not self.strict:
            pytest.skip(f"void: {self.result.reason}")
        require_figures(self.result)
        tried = self.result.checks[self.name]
        if not tried.passed:
            fail_with(f"{rules_of(self.result.spec.activity)[self.name]}\n{tried.detail}")


def require_figures(result: TrialResult) -> None:
    """Fail the test when its trial has none."""
    if result.status is not TrialStatus.OK:
        fail_with(f"trial {result.spec.name}: {result.status}\n{result.reason}")


def fail_with(reason: str) -> NoReturn:
    """Fail the test; an engine's words in the reason can't act on the terminal."""
    pytest.fail("\n".join(map(sanitize, reason.splitlines())), pytrace=False)


def describe(verdict: Verdict) -> str:
    """A verdict in a line."""
    value = "no value" if verdict.value is None else f"{verdict.value:.4g} {verdict.unit}"
    limits = f"target {verdict.target}, minimum {verdict.minimum}"
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.level}: {verdict.threshold} is {value} ({limits}){reason}"


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """One threshold on one trial."""
    session = request.config.stash[SESSION]
    spec, threshold = request.param
    result = session.results[spec.key]
    return Judged(result, threshold, session.options.gate, session.options.strict)


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> TriedRule:
    """One rule of the contract on one provider."""
    spec, name = request.param
    session = request.config.stash[SESSION]
    return TriedRule(session.results[spec.key], name, session.options.strict)


@pytest.fixture
def resident(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Recognises one chunk of speech on the resident model, whenever it is called."""
    session = request.config.stash[SESSION]
    return lambda: session.infer(request.param)

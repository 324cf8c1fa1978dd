"""From a journal to figures and verdicts; runs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.events import Checked
from harness.journal import TrialRecord
from harness.metrics import Measurement, TrialLog, measure
from harness.rules import rules_of
from harness.thresholds import Threshold
from harness.trial import TrialSpec, TrialStatus
from harness.verdict import Standing, Verdict, fail, judge, unjudged, worst


@dataclass
class TrialResult:
    """One trial with everything that is to be said about it."""

    record: TrialRecord
    measurements: dict[str, Measurement] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    checks: dict[str, Checked] = field(default_factory=dict)

    @property
    def spec(self) -> TrialSpec:
        """What was measured."""
        return self.record.started.spec

    @property
    def status(self) -> TrialStatus:
        """How the trial ended; one that never did was interrupted."""
        return self.record.ended.status if self.record.ended else TrialStatus.INTERRUPTED

    @property
    def reason(self) -> str:
        """Why it isn't ok."""
        return self.record.ended.reason if self.record.ended else "the run ended before the trial"

    @property
    def standing(self) -> Standing:
        """The worst of the verdicts; there is none on what something beside the trial spoiled."""
        if self.status is TrialStatus.VOID:
            return Standing.UNAVAILABLE
        checks = [Standing.PASS if check.passed else Standing.FAIL
                  for check in self.checks.values()]  # fmt: skip
        return worst([*(verdict.standing for verdict in self.verdicts.values()), *checks])


def evaluate(
    records: Sequence[TrialRecord], thresholds: dict[str, Threshold]
) -> dict[str, TrialResult]:
    """Compute figures and verdicts of each trial, by the trial's key.

    Of several trials with one key, which a resumed run may have, the last counts. A trial that
    didn't end well has no figures, and fails in everything that it is held to; one that something
    beside it spoiled isn't judged.
    """
    return {record.started.key: _evaluate_one(record, thresholds) for record in records}


def _evaluate_one(record: TrialRecord, thresholds: dict[str, Threshold]) -> TrialResult:
    result = TrialResult(record)
    spec = result.spec
    held_to = {name: threshold for name, threshold in thresholds.items()
               if threshold.applies_to(spec)}  # fmt: skip
    ended_well = result.status is TrialStatus.OK
    why = f"{result.status}: {result.reason.partition(chr(10))[0]}"
    if result.status is TrialStatus.VOID:
        result.verdicts = {name: unjudged(threshold, why) for name, threshold in held_to.items()}
    elif rules := rules_of(spec.activity):
        tried = {event.check: event for event in record.events if isinstance(event, Checked)}
        untried = {name: Checked(check=name, passed=False, detail=why) for name in rules}
        result.checks = tried if ended_well else untried
    elif ended_well:
        result.measurements = measure(TrialLog(spec, record.events))
        result.verdicts = {
            name: judge(threshold, result.measurements[threshold.metric], spec.clock)
            for name, threshold in held_to.items()
        }
    else:
        result.verdicts = {name: fail(threshold, why) for name, threshold in held_to.items()}
    return result

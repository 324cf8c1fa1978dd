"""Computes figures and verdicts from a journal; runs nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from harness.journal.events import RuleChecked
from harness.journal.journal import TrialRecord
from harness.metrics import Measurement, TrialLog, measure
from harness.specs.rules import rules_of
from harness.specs.trial import TrialSpec, TrialStatus
from harness.support.gc_pause import gc_paused
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import Verdict, VerdictLevel, judge, without_figure


@dataclass
class TrialResult:
    """One trial with its figures and verdicts, or its checked rules."""

    record: TrialRecord
    measurements: dict[str, Measurement] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    checks: dict[str, RuleChecked] = field(default_factory=dict)

    @property
    def spec(self) -> TrialSpec:
        """The trial's specification."""
        return self.record.started.spec

    @property
    def status(self) -> TrialStatus:
        """The trial's status; interrupted if the journal has no end of it."""
        return self.record.ended.status if self.record.ended else TrialStatus.INTERRUPTED

    @property
    def reason(self) -> str:
        """Why the status isn't ok."""
        return self.record.ended.reason if self.record.ended else "the run ended before the trial"

    @cached_property
    def log(self) -> TrialLog:
        """The trial's events as metrics need them; built once."""
        return TrialLog(self.spec, self.record.events)


@gc_paused()
def evaluate(
    records: Sequence[TrialRecord], thresholds: dict[str, Threshold]
) -> dict[str, TrialResult]:
    """Compute figures and verdicts of each trial, by the trial's key.

    Of several trials with the same key, as in a resumed run, the last one counts. A trial that
    failed has no figures, and fails all its thresholds and rules; a void one isn't judged.
    """
    results = {record.started.key: _measured(record) for record in records}
    for result in results.values():
        if rules_of(result.spec.activity):
            if result.status is not TrialStatus.VOID:
                result.checks = _checks(result)
        else:
            applicable = {name: threshold for name, threshold in thresholds.items()
                       if threshold.applies_to(result.spec)}  # fmt: skip
            result.verdicts = {name: _verdict(result, threshold, results.values())
                               for name, threshold in applicable.items()}  # fmt: skip
    return results


def _measured(record: TrialRecord) -> TrialResult:
    result = TrialResult(record)
    if result.status is TrialStatus.OK and not rules_of(result.spec.activity):
        result.measurements = measure(result.log)
    return result


def _why_not(result: TrialResult) -> str:
    return f"{result.status}: {result.reason.partition(chr(10))[0]}"


def _checks(result: TrialResult) -> dict[str, RuleChecked]:
    if result.status is not TrialStatus.OK:
        why = _why_not(result)
        return {name: RuleChecked(check=name, passed=False, detail=why)
                for name in rules_of(result.spec.activity)}  # fmt: skip
    return {event.check: event for event in result.record.events if isinstance(event, RuleChecked)}


def _verdict(result: TrialResult, threshold: Threshold, others: Collection[TrialResult]) -> Verdict:
    chunk_s = result.spec.chunk_seconds
    if result.status is not TrialStatus.OK:
        void = result.status is TrialStatus.VOID
        level = VerdictLevel.UNAVAILABLE if void else VerdictLevel.FAIL
        return without_figure(threshold, level, _why_not(result), chunk_s)
    measurement = result.measurements[threshold.metric]
    if threshold.relative_to is not None:
        measurement = _relative(result, measurement, threshold, others)
    return judge(threshold, measurement, chunk_s)


def _relative(
    result: TrialResult,
    measurement: Measurement,
    threshold: Threshold,
    others: Collection[TrialResult],
) -> Measurement:
    """The measurement, divided by that of the trial that differs only in its scenario."""
    spec, relative_to = result.spec, threshold.relative_to
    for other in others:
        same = msgspec.structs.replace(other.spec, scenario=spec.scenario, vad=spec.vad)
        if other.spec.scenario.name == relative_to and same == spec:
            if other.status is not TrialStatus.OK:
                return Measurement(
                    unit="1", absent=f"the trial of {relative_to}: {_why_not(other)}"
                )
            whole = other.measurements[threshold.metric].value
            if measurement.value is None or not whole:
                return Measurement(unit="1", absent=measurement.absent or f"none in {relative_to}")
            return Measurement(unit="1", value=measurement.value / whole, count=measurement.count)
    absent = f"no trial of {relative_to} to compare with; add --scenario {relative_to}"
    return Measurement(unit="1", absent=absent)

"""The choices that a run measured: a provider, model and chunk size, over all its scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.metrics import Measurement
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Finding, Outcome, TrialJudgement, worst
from reports.advice.answer import TrialAnswer

LATENCY, ACCURACY, CPU = "word_emission_latency", "wer", "cpu_per_audio_second"


@dataclass(frozen=True)
class Candidate:
    """One choice; of several scenarios, each figure is that of the worst."""

    number: int
    """From 1, in the order of the run."""
    spec: TrialSpec
    """Of its first trial."""
    trials: list[TrialResult]
    outcome: Outcome
    """The worst of its trials; a trial that says nothing doesn't hide one that fails."""
    latency_s: float | None
    """Median time from the end of a word to its first showing; infinite if most never were."""
    wer: float | None
    wer_bounds: tuple[float, float] | None
    cpu: float | None
    """CPU seconds per second of audio, so the share of one core."""
    unjudged: tuple[Finding, ...] = ()
    """What can't be judged."""

    @property
    def figures(self) -> tuple[float, float, float] | None:
        """Latency, accuracy and CPU; None where one of them is unknown."""
        if self.latency_s is None or self.wer is None or self.cpu is None:
            return None
        return self.latency_s, self.wer, self.cpu

    def dominates(self, other: "Candidate") -> bool:
        """Whether it is no worse in any of the three figures, and better in one."""
        mine, theirs = self.figures, other.figures
        if mine is None or theirs is None:
            return False
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def candidates_of(answers: Sequence[TrialAnswer]) -> list[Candidate]:
    """The choices that a run measured.

    Args:
        answers: How its trials stand. That of the contract counts for all choices of its model.
    """
    ordered = sorted(answers, key=lambda answer: answer.result.record.number)
    groups: dict[str, list[TrialAnswer]] = {}
    contracts: dict[str, list[TrialJudgement]] = {}
    for answer in ordered:
        spec = answer.result.spec
        if spec.activity is Activity.SCENARIO:
            groups.setdefault(f"{spec.subject} {spec.chunk_seconds:g}", []).append(answer)
        else:
            contracts.setdefault(spec.subject, []).append(answer.judgement)
    return [
        _candidate(number, group, contracts.get(group[0].result.spec.subject, []))
        for number, group in enumerate(groups.values(), 1)
    ]


def pareto_front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that no other choice beats in everything; the rest needn't be thought about."""
    return [one for one in candidates if one.figures is not None
            and not any(other.dominates(one) for other in candidates)]  # fmt: skip


def _candidate(
    number: int, group: Sequence[TrialAnswer], contracts: Sequence[TrialJudgement]
) -> Candidate:
    results = [answer.result for answer in group]
    judged = [*(answer.judgement for answer in group), *contracts]
    outcomes = [trial.outcome for trial in judged]
    measured = [result for result in results if result.status is TrialStatus.OK]
    every = len(measured) == len(results)
    wers = [found for result in measured if (found := result.measurements[ACCURACY]).value
            is not None]  # fmt: skip
    worst_wer = max(wers, key=lambda each: each.value or 0.0, default=None) if every else None
    return Candidate(
        number=number,
        spec=results[0].spec,
        trials=results,
        outcome=Outcome.FAIL if Outcome.FAIL in outcomes else worst(outcomes),
        latency_s=_most(measured, LATENCY, "p50") if every else None,
        wer=worst_wer.value if worst_wer else None,
        wer_bounds=worst_wer.bounds if worst_wer else None,
        cpu=_most(measured, CPU, "value") if every else None,
        unjudged=tuple(
            finding
            for trial in judged
            for finding in trial.findings
            if finding.outcome in (Outcome.INCONCLUSIVE, Outcome.INVALID)
        ),
    )


def _most(results: Sequence[TrialResult], metric: str, statistic: str) -> float | None:
    values = [value for result in results
              if (value := _value(result.measurements[metric], statistic)) is not None]  # fmt: skip
    return max(values, default=None)


def _value(measured: Measurement, statistic: str) -> float | None:
    return measured.statistic(statistic) if measured.samples or statistic == "value" else None

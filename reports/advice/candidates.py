"""Groups a run's trials into choices: a provider, model and chunk size, over all scenarios."""

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
    """One choice; each figure is that of its worst scenario."""

    number: int
    """Its number, from 1, in the order of the run."""
    spec: TrialSpec
    """The spec of its first trial."""
    trials: list[TrialResult]
    outcome: Outcome
    """The worst outcome of its trials; a failure outweighs an invalid trial."""
    latency_s: float | None
    """Median time from a word's end to its first display; infinite if most were never shown."""
    wer: float | None
    wer_bounds: tuple[float, float] | None
    cpu: float | None
    """CPU seconds per second of audio, which is the share of one core."""
    unjudged: tuple[Finding, ...] = ()
    """Findings that can't be judged."""

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
    """Return the choices that a run measured.

    Args:
        answers: Its trials' outcomes. A contract trial counts for all choices of its model.
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
    """Return the choices that no other one dominates."""
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

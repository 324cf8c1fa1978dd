"""Collects what the HTML page of a run shows, as records for its template."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.journal.run_folder import Input, RunFolder, RunInfo
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Policy, judge_run, not_judged_here
from harness.verdicts.thresholds import Threshold
from reports.advice.advice import Advice, advise, name_of
from reports.advice.answer import Answer, answer_for
from reports.advice.candidates import Candidate, candidates_of, pareto_front
from reports.advice.pareto import pareto
from reports.run_page.facts import Facts, limits_of_embedded, machine_facts, moment, run_facts
from reports.run_page.matrix import Row, matrix
from reports.run_page.trial_section import TrialSection, plays, trial_section


@dataclass(frozen=True)
class Choice:
    """A row of the page's table of choices."""

    candidate: Candidate
    name: str
    anchor: str
    on_front: bool
    chosen: bool


@dataclass(frozen=True)
class Page:
    """The content of a run's page."""

    info: RunInfo
    started: str
    answer: Answer
    advice: Advice
    choices: list[Choice]
    pareto: list[Markup]
    columns: list[TrialSection]
    rows: list[Row]
    not_judged: list[str]
    """Sentences about thresholds that don't apply on this clock."""
    trials: list[TrialSection]
    run_facts: Facts
    machine_facts: Facts
    inputs: list[tuple[str, Input]]
    """The models and corpora that the figures depend on, by name."""
    limits: list[str]


def make_page(
    folder: RunFolder,
    results: Sequence[TrialResult],
    thresholds: dict[str, Threshold],
    thresholds_name: str,
) -> Page:
    """Collect the content of a run's page.

    Args:
        folder: The run.
        results: Its trials.
        thresholds: The thresholds that judged them.
        thresholds_name: Their source, as shown.
    """
    info = folder.info
    run = judge_run(results, Policy.of(info.options), info.finished is not None)
    answer = answer_for(run)
    trials = [trial_section(trial, thresholds) for trial in run.trials]
    columns = [trial for trial in trials if plays(trial.result)]
    candidates = candidates_of(answer.trials)
    advice = advise(candidates)
    return Page(
        info=info,
        started=moment(info.started),
        answer=answer,
        advice=advice,
        choices=_choices(candidates, advice),
        pareto=pareto(candidates, advice.chosen),
        columns=columns,
        rows=matrix([trial.cells for trial in columns], thresholds),
        not_judged=not_judged_here([result.spec for result in results], thresholds),
        trials=trials,
        run_facts=run_facts(info, results, thresholds_name),
        machine_facts=machine_facts(info),
        inputs=sorted(info.inputs.items()),
        limits=limits_of_embedded(results),
    )


def _choices(candidates: Sequence[Candidate], advice: Advice) -> list[Choice]:
    front = pareto_front(candidates)
    return [
        Choice(each, name_of(each), f"trial-{each.trials[0].record.number}", each in front,
               each is advice.chosen)
        for each in candidates
    ]  # fmt: skip

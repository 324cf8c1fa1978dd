"""What the HTML page shows, as plain records for its template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.journal.events import RuleChecked
from harness.journal.run_folder import Input, RunFolder, RunInfo
from harness.metrics import TrialLog
from harness.specs.rules import rules_of
from harness.specs.trial import Activity, Transport, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Outcome, Policy, TrialJudgement, judge_run, not_judged_here
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel
from reports.advice.advice import Advice, advise, name_of
from reports.advice.answer import Answer, answer_for
from reports.advice.candidates import Candidate, candidates_of, pareto_front
from reports.advice.pareto import pareto
from reports.charts.curve import Curve, curves_of, draw_curve
from reports.charts.distribution import distribution, scale_for
from reports.charts.trial_timeline import LimitLine, timeline
from reports.formatting import limit_with_unit
from reports.run_page.evidence import evidence_of
from reports.run_page.facts import Facts, limits_of_embedded, machine_facts, moment, run_facts
from reports.run_page.figures import Figure, figure_of
from reports.run_page.matrix import Cell, Row, matrix
from reports.run_page.texts import SourceText, source_texts

SPREAD_METRICS = ("word_emission_latency", "word_final_latency")
"""Metrics whose samples are drawn as a distribution."""


@dataclass(frozen=True)
class RuleRow:
    """A rule of the contract and how it was kept."""

    name: str
    meaning: str
    level: VerdictLevel
    detail: str


@dataclass(frozen=True)
class Trial:
    """Everything about one trial."""

    result: TrialResult
    anchor: str
    outcome: Outcome
    notes: str
    cells: list[Cell]
    course: Markup | None
    dropped: str
    spreads: list[tuple[Figure, Markup]]
    figures: list[Figure]
    texts: list[SourceText]
    rules: list[RuleRow]
    curves: list[tuple[Curve, Markup]]


@dataclass(frozen=True)
class Choice:
    """A candidate as the page's table has it."""

    candidate: Candidate
    name: str
    anchor: str
    on_front: bool
    chosen: bool


@dataclass(frozen=True)
class Page:
    """The whole page."""

    info: RunInfo
    started: str
    answer: Answer
    advice: Advice
    choices: list[Choice]
    pareto: list[Markup]
    columns: list[Trial]
    rows: list[Row]
    not_judged: list[str]
    """Thresholds that this clock can't be held to, in sentences."""
    trials: list[Trial]
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
    """Work out what a page says about a run.

    Args:
        folder: The run.
        results: Its trials.
        thresholds: What they were judged by.
        thresholds_name: Where those come from.
    """
    info = folder.info
    run = judge_run(results, Policy.of(info.options), info.finished is not None)
    answer = answer_for(run)
    trials = [_trial(trial, thresholds) for trial in run.trials]
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


def plays(result: TrialResult) -> bool:
    """Whether a trial played a scenario, and didn't try the contract."""
    return result.spec.activity is Activity.SCENARIO


def label_of(spec: TrialSpec) -> list[str]:
    """What tells a trial from the others, most telling first."""
    model = spec.model.rstrip("/").rsplit("/", 1)[-1]
    settings = [f"{name}={value}" for name, value in sorted(spec.settings.items())]
    if spec.activity is Activity.SCENARIO:
        chunks, way = f"{spec.chunk_seconds:g} s chunks", []
        if spec.transport is not Transport.IN_PROCESS:
            way = [f"over {spec.transport}"]
        return [spec.provider, model, *settings, chunks, spec.scenario.name, *way]
    what = "contract" if spec.activity is Activity.CONFORMANCE else str(spec.activity)
    return [spec.provider, model, *settings, what]


def _trial(judged: TrialJudgement, thresholds: dict[str, Threshold]) -> Trial:
    result = judged.result
    anchor = f"trial-{result.record.number}"
    log = result.log
    evidence = {}
    if result.measurements:
        metrics = {verdict.metric for verdict in result.verdicts.values()}
        evidence = evidence_of(result, sorted(metrics))
    cells = [
        Cell(thresholds[name], verdict, _details(anchor, name) if evidence else anchor,
             evidence.get(verdict.metric))
        for name, verdict in result.verdicts.items()
    ]  # fmt: skip
    return Trial(
        result=result,
        anchor=anchor,
        outcome=judged.outcome,
        notes=_notes(result),
        cells=cells,
        course=timeline(log, _rtf_limits(cells)) if plays(result) else None,
        dropped=_dropped(log),
        spreads=_spreads(result, cells),
        figures=[figure_of(name, measured) for name, measured in result.measurements.items()],
        texts=source_texts(log) if result.measurements else [],
        rules=[_rule(check, result.spec.activity) for check in result.checks.values()],
        curves=[(curve, draw_curve(curve)) for curve in curves_of(log)]
        if result.measurements else [],
    )  # fmt: skip


def _details(anchor: str, threshold: str) -> str:
    return f"{anchor}-{re.sub(r'[^A-Za-z0-9_-]', '-', threshold)}"


def _notes(result: TrialResult) -> str:
    spec, ended = result.spec, result.record.ended
    parts = [f"{spec.clock} clock", f"corpus {spec.corpus}", f"seed {spec.seed}"]
    if plays(result):
        parts.append(f"{spec.scenario.title}, {spec.scenario.duration_s:g} s")
    if ended is not None:
        parts.append(f"took {ended.wall_s:.0f} s")
    tried = [event.check for event in result.record.events if isinstance(event, RuleChecked)]
    if tried and result.status is not TrialStatus.OK:
        parts.append(f"rules tried before it ended: {', '.join(tried)}")
    return " · ".join(parts)


def _dropped(log: TrialLog) -> str:
    dropped = sum(chunk.dropped for chunk in log.chunks)
    return f"Red: {dropped} of {len(log.chunks)} chunks were dropped." if dropped else ""


def _rtf_limits(cells: Sequence[Cell]) -> list[LimitLine]:
    held = [cell.verdict for cell in cells if cell.verdict.metric == "rtf"]
    return [
        LimitLine(limit.number, f"{title} {verdict.statistic} {limit_with_unit(limit)}")
        for verdict in held[:1]
        for title, limit in (("target", verdict.target), ("minimum", verdict.minimum))
    ]


def _spreads(result: TrialResult, cells: Sequence[Cell]) -> list[tuple[Figure, Markup]]:
    """Distributions of the metrics that are drawn, all on one scale, so that they compare."""
    drawn = {
        name: result.measurements[name]
        for name in SPREAD_METRICS
        if name in result.measurements and result.measurements[name].samples
    }
    held = [
        cell.verdict
        for cell in cells
        if cell.verdict.metric in drawn and cell.verdict.statistic != "value"
    ]
    samples = [sample for measured in drawn.values() for sample in measured.samples or ()]
    scale = scale_for(samples, [verdict.target.number for verdict in held])
    return [
        (
            figure_of(name, measured),
            distribution(name, measured, [each for each in held if each.metric == name], scale),
        )
        for name, measured in drawn.items()
    ]


def _rule(check: RuleChecked, activity: Activity) -> RuleRow:
    meaning = rules_of(activity).get(check.check, "")
    level = VerdictLevel.PASS if check.passed else VerdictLevel.FAIL
    return RuleRow(check.check, meaning, level, check.detail)

"""Collects what the page shows about one trial: verdicts, charts, figures, texts and rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.journal.events import RuleChecked
from harness.metrics import TrialLog
from harness.specs.rules import rules_of
from harness.specs.trial import Activity, Transport, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Outcome, TrialJudgement
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel
from reports.advice.answer import rules_owner
from reports.charts.curve import Curve, curves_of, draw_curve
from reports.charts.distribution import distribution, scale_for
from reports.charts.trial_timeline import LimitLine, timeline
from reports.formatting import limit_with_unit
from reports.run_page.evidence import evidence_of
from reports.run_page.figures import Figure, figure_of
from reports.run_page.matrix import Cell
from reports.run_page.texts import SourceText, source_texts

DISTRIBUTIONS = ("word_emission_latency", "word_final_latency")
"""Metrics whose samples are drawn as a distribution."""


@dataclass(frozen=True)
class RuleRow:
    """A rule of the contract or the ladder, and whether it was kept."""

    name: str
    meaning: str
    level: VerdictLevel
    detail: str


@dataclass(frozen=True)
class TrialSection:
    """The page's section on one trial."""

    result: TrialResult
    anchor: str
    outcome: Outcome
    notes: str
    cells: list[Cell]
    timeline: Markup | None
    dropped: str
    distributions: list[tuple[Figure, Markup]]
    figures: list[Figure]
    texts: list[SourceText]
    rules: list[RuleRow]
    rules_of: str
    """What the rules belong to, in words."""
    curves: list[tuple[Curve, Markup]]


def plays(result: TrialResult) -> bool:
    """Return whether a trial played a scenario."""
    return result.spec.activity is Activity.SCENARIO


def label_of(spec: TrialSpec) -> list[str]:
    """Return what distinguishes a trial from the others, most important first."""
    model = spec.model.rstrip("/").rsplit("/", 1)[-1]
    settings = [f"{name}={value}" for name, value in sorted(spec.settings.items())]
    if spec.activity is Activity.SCENARIO:
        chunks, way = f"{spec.chunk_seconds:g} s chunks", []
        if spec.transport is not Transport.IN_PROCESS:
            way = [f"over {spec.transport}"]
        return [spec.provider, model, *settings, chunks, spec.scenario.name, *way]
    return [spec.provider, model, *settings, rules_owner(spec.activity)]


def trial_section(judged: TrialJudgement, thresholds: dict[str, Threshold]) -> TrialSection:
    """Collect what the page shows about a trial."""
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
    return TrialSection(
        result=result,
        anchor=anchor,
        outcome=judged.outcome,
        notes=_notes(result),
        cells=cells,
        timeline=timeline(log, _rtf_limits(cells)) if plays(result) else None,
        dropped=_dropped(log),
        distributions=_distributions(result, cells),
        figures=[figure_of(name, measured) for name, measured in result.measurements.items()],
        texts=source_texts(log) if result.measurements else [],
        rules=[_rule(check, result.spec.activity) for check in result.checks.values()],
        rules_of=rules_owner(result.spec.activity),
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


def _distributions(result: TrialResult, cells: Sequence[Cell]) -> list[tuple[Figure, Markup]]:
    """Draw the distributions of `DISTRIBUTIONS`, on one scale to make them comparable."""
    drawn = {
        name: result.measurements[name]
        for name in DISTRIBUTIONS
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

"""Formats a gate's result for the terminal and for the summary of a pipeline's step."""

import math
from collections.abc import Iterator

from harness.support.sanitize import sanitize
from harness.verdicts.policy import Outcome, RunJudgement
from reports.formatting import SIGNS, number
from reports.gating.gate import GateResult, TimedFinding
from reports.tables.markdown import plain, table


def headline(result: GateResult) -> str:
    """Return the outcome and its reason."""
    return f"{SIGNS[result.outcome]} gate: {result.outcome}: {sanitize(result.reason)}"


def gate_lines(result: GateResult) -> Iterator[str]:
    """Yield the whole result for the terminal."""
    yield ""
    yield f"base {result.base[:12]}, head {result.head[:12]}"
    yield f"{sanitize(result.machine)}, load {result.load_1min:g}" if result.machine else ""
    yield f"{result.runs} runs in {result.took_s / 60:.1f} min; control {result.control}"
    if result.timed:
        yield f"{'time':<16}{'head/base':>10}{'below':>8}{'p':>9}{'pairs':>7}  outcome"
    for each in result.timed:
        yield (
            f"{each.name:<16}"
            + "".join(
                f"{cell:>{width}}" for cell, width in zip(_cells(each), (10, 8, 9, 7), strict=True)
            )
            + f"  {SIGNS[each.outcome]} {each.outcome}"
        )
    if result.exact:
        yield f"{'exact':<22}{'base':>12}{'head':>12}  outcome"
    for found in result.exact:
        sides = "".join(f"{_span(side):>12}" for side in (found.base, found.head))
        note = f" ({found.reason})" if found.reason else ""
        yield f"{found.metric:<22}{sides}  {SIGNS[found.outcome]} {found.outcome}{note}"
    yield headline(result)


def gate_markdown(result: GateResult) -> str:
    """Return the whole result for a step's summary."""
    parts = [f"### {SIGNS[result.outcome]} Gate: {result.outcome}\n", plain(result.reason) + "\n"]
    if result.timed:
        rows = [[each.name, *_cells(each), f"{SIGNS[each.outcome]} {each.outcome}"]
                for each in result.timed]  # fmt: skip
        header = ["time", "head / base", "below, with 95 %", "p", "pairs", "outcome"]
        parts.append(table(header, rows))
    if result.exact:
        rows = [[each.metric, _span(each.base), _span(each.head),
                 f"{SIGNS[each.outcome]} {each.outcome}", each.reason]
                for each in result.exact]  # fmt: skip
        parts.append(table(["exact", "base", "head", "outcome", "note"], rows))
    parts.append(
        plain(f"base {result.base[:12]}, head {result.head[:12]}; {result.machine}; {result.runs}"
              f" runs in {result.took_s / 60:.1f} min; control {result.control}") + "\n"
    )  # fmt: skip
    return "\n".join(parts)


def threshold_lines(run: RunJudgement) -> Iterator[str]:
    """Yield a run's judgement by its thresholds, for the terminal."""
    against = list(_against(run))
    for outcome, words in [(run.outcome, run.sentence), *against]:
        yield f"{SIGNS[outcome]} {sanitize(words)}"
    count = f"{len(against)} against" if against else "nothing against"
    yield f"{SIGNS[run.outcome]} gate: {run.outcome}: {run.judged} judged, {count} it"


def threshold_markdown(run: RunJudgement) -> str:
    """Return a run's judgement by its thresholds, for a step's summary."""
    rows = [[f"{SIGNS[outcome]} {outcome}", words]
            for outcome, words in [(run.outcome, run.sentence), *_against(run)]]  # fmt: skip
    return f"### {SIGNS[run.outcome]} Gate: {run.outcome}\n\n" + table(["outcome", "what"], rows)


def _against(run: RunJudgement) -> Iterator[tuple[Outcome, str]]:
    """Yield the findings that aren't a pass, by trial."""
    for trial in run.trials:
        for finding in trial.findings:
            if finding.outcome is not Outcome.PASS:
                words = str(finding)
                if finding.subject in trial.result.checks:
                    words = f"breaks {finding.subject}"
                yield finding.outcome, f"{trial.result.spec.name}: {words}"


def _cells(each: TimedFinding) -> list[str]:
    decision = each.decision
    return [
        f"x {decision.ratio:.3f}" if math.isfinite(decision.ratio) else "none",
        f"{decision.upper:.3f}" if decision.upper < 1e6 else "none",
        f"{decision.p:.2g}",
        str(decision.pairs),
    ]


def _span(side: tuple[float, float]) -> str:
    least, most = side
    return number(least) if least == most else f"{number(least)}-{number(most)}"

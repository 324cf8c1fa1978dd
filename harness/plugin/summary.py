"""Prints the table at the end of a run, in 80 columns."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.journal.run_folder import RunFolder
from harness.runner.validity import remarks
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import Outcome, Policy, TrialJudgement, judge_run, not_judged_here
from harness.verdicts.thresholds import Threshold
from harness.verdicts.verdict import VerdictLevel

MARKS = {
    VerdictLevel.PASS: " ",
    VerdictLevel.WARN: "~",
    VerdictLevel.SUSPECT: "*",
    VerdictLevel.INSUFFICIENT: "?",
    VerdictLevel.UNAVAILABLE: "-",
    VerdictLevel.FAIL: "!",
}
COLUMNS = {
    ("rtf", "p95"): "rtf p95",
    ("startup_time", "value"): "start s",
    ("word_emission_latency", "p50"): "word s",
    ("finalization_delay", "p50"): "final s",
    ("dropped_chunks", "value"): "drops",
    ("wer", "value"): "wer %",
}
"""Column titles, by metric and statistic."""
COLOURS = {Outcome.PASS: {"green": True}, Outcome.FAIL: {"red": True}}


def write_summary(
    reporter: pytest.TerminalReporter,
    folder: RunFolder,
    results: Sequence[TrialResult],
    thresholds: dict[str, Threshold],
    reports: Sequence[Path],
) -> None:
    """Write the summary of a run.

    Args:
        reporter: Writes to the terminal.
        folder: The run.
        results: Its trials.
        thresholds: The thresholds of the run.
        reports: The reports' paths.
    """
    reporter.section("echobench", sep="=")
    info = folder.info
    run = judge_run(results, Policy.of(info.options), info.finished is not None)
    reporter.write_line(str(info.machine))
    played = [trial for trial in run.trials if trial.result.spec.activity is Activity.SCENARIO]
    clocks = sorted({result.spec.clock for result in results})
    if clocks:
        reporter.write_line(f"{' and '.join(clocks)} clock; ~ target missed, ! minimum broken")
    if played:
        header = "".join(f"{title:>8}" for title in COLUMNS.values())
        reporter.write_line(f"{'trial':<24}{header}  verdict", bold=True)
    for trial in played:
        cells = "".join(f"{cell(trial.result, *column):>8}" for column in COLUMNS)
        reporter.write(f"{title_of(trial.result.spec):<24}{cells}  ")
        reporter.write_line(verdict_of(trial), **COLOURS.get(trial.outcome, {"yellow": True}))
    for result in results:
        write_notes(reporter, result)
    specs = [result.spec for result in results]
    for sentence in [*not_judged_here(specs, thresholds), f"{run.outcome}: {run.sentence}"]:
        write_wrapped(reporter, sentence, "", "  ")
    for path in [*reports, folder.path]:
        reporter.write_line(str(path))


def title_of(spec: TrialSpec) -> str:
    """A trial's name in 23 columns: provider, chunk size, scenario."""
    end = f" {spec.chunk_seconds:g}s {(spec.scenario.alias or spec.scenario.name)[:8]}"
    return spec.provider[: 23 - len(end)] + end


def cell(result: TrialResult, metric: str, statistic: str) -> str:
    """A figure, marked where it has a threshold and doesn't pass."""
    measurement = result.measurements.get(metric)
    value = measurement.statistic(statistic) if measurement else None
    if value is None:
        return "none"
    marks = [MARKS[verdict.level] for verdict in result.verdicts.values()
             if (verdict.metric, verdict.statistic) == (metric, statistic)]  # fmt: skip
    return f"{value * 100 if metric == 'wer' else value:.3g}{''.join(marks)}".rstrip()


def verdict_of(trial: TrialJudgement) -> str:
    """The status or outcome of a trial, in a word."""
    status = trial.result.status
    return str(trial.outcome if status is TrialStatus.OK else status)


def write_notes(reporter: pytest.TerminalReporter, result: TrialResult) -> None:
    """Write what isn't a pass and why, below the trial's name."""
    if result.status is not TrialStatus.OK:
        void = result.status is TrialStatus.VOID
        mark = MARKS[VerdictLevel.UNAVAILABLE if void else VerdictLevel.FAIL]
        notes = [f"{mark} {result.status}: {result.reason}"]
    else:
        notes = [f"  {remark}" for remark in remarks(result.record.events)]
        notes += [
            f"{MARKS[verdict.level]} {verdict.threshold}: {verdict.reason}"
            for verdict in result.verdicts.values()
            if verdict.level is not VerdictLevel.PASS
        ]
    if result.checks and result.status is TrialStatus.OK:
        kept = sum(check.passed for check in result.checks.values())
        notes.append(f"  {kept} of {len(result.checks)} rules kept")
        notes += [f"{MARKS[VerdictLevel.FAIL]} {name}: {check.detail}"
                  for name, check in result.checks.items() if not check.passed]  # fmt: skip
    if notes:
        reporter.write_line(result.spec.name)
    for note in notes:
        for number, line in enumerate(note.splitlines()):
            write_wrapped(reporter, line, " " * (6 if number else 2), " " * 6)


def write_wrapped(reporter: pytest.TerminalReporter, line: str, first: str, rest: str) -> None:
    """Write a line safely for a terminal, wrapped to its width."""
    width = reporter.config.get_terminal_writer().fullwidth - 1
    lines = textwrap.wrap(sanitize(line), width, initial_indent=first, subsequent_indent=rest)
    reporter.write_line("\n".join(lines))

"""The table at the end of a run, made to fit 80 columns."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.journal.run_folder import RunFolder
from harness.runner.validity import remarks
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.support.sanitize import sanitize
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import VerdictLevel

MARKS = {
    VerdictLevel.PASS: " ",
    VerdictLevel.WARN: "~",
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
"""By metric and statistic."""
COLOURS = {VerdictLevel.PASS: {"green": True}, VerdictLevel.FAIL: {"red": True}}


def write_summary(
    reporter: pytest.TerminalReporter,
    folder: RunFolder,
    results: Sequence[TrialResult],
    reports: Sequence[Path],
) -> None:
    """Write the verdicts of a run.

    Args:
        reporter: Writes to the terminal.
        folder: The run.
        results: Its trials.
        reports: Files for people to look at.
    """
    reporter.section("echobench", sep="=")
    reporter.write_line(str(folder.info.machine))
    played = [result for result in results if result.spec.activity is Activity.SCENARIO]
    clocks = sorted({result.spec.clock for result in results})
    if clocks:
        reporter.write_line(f"{' and '.join(clocks)} clock; ~ target missed, ! minimum broken")
    if played:
        header = "".join(f"{title:>8}" for title in COLUMNS.values())
        reporter.write_line(f"{'trial':<24}{header}  verdict", bold=True)
    for result in played:
        cells = "".join(f"{cell(result, *column):>8}" for column in COLUMNS)
        reporter.write(f"{title_of(result.spec):<24}{cells}  ")
        reporter.write_line(said(result), **COLOURS.get(result.level, {"yellow": True}))
    for result in results:
        write_notes(reporter, result)
    for path in [*reports, folder.path]:
        reporter.write_line(str(path))


def title_of(spec: TrialSpec) -> str:
    """A trial's name in 23 columns: provider, chunk size, scenario."""
    end = f" {spec.chunk_seconds:g}s {(spec.scenario.alias or spec.scenario.name)[:8]}"
    return spec.provider[: 23 - len(end)] + end


def cell(result: TrialResult, metric: str, statistic: str) -> str:
    """A figure, with a mark where it is held to something and doesn't pass."""
    measurement = result.measurements.get(metric)
    value = measurement.statistic(statistic) if measurement else None
    if value is None:
        return "none"
    marks = [MARKS[verdict.level] for verdict in result.verdicts.values()
             if (verdict.metric, verdict.statistic) == (metric, statistic)]  # fmt: skip
    return f"{value * 100 if metric == 'wer' else value:.3g}{''.join(marks)}".rstrip()


def said(result: TrialResult) -> str:
    """How a trial stands, in a word."""
    return str(result.level if result.status is TrialStatus.OK else result.status)


def write_notes(reporter: pytest.TerminalReporter, result: TrialResult) -> None:
    """Say, under the trial's name, what isn't a pass and why."""
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
    width = reporter.config.get_terminal_writer().fullwidth - 1
    for note in notes:
        for number, line in enumerate(note.splitlines()):
            indent = " " * (6 if number else 2)
            reporter.write_line(
                "\n".join(
                    textwrap.wrap(
                        sanitize(line), width, initial_indent=indent, subsequent_indent=" " * 6
                    )
                )
            )

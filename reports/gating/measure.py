"""Measures a revision in one short run of its own code, and reads the journal."""

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EchobenchError
from harness.journal.journal import TrialRecord, read_journal
from harness.journal.run_folder import LATEST, RunFolder, RunInfo
from harness.metrics import METRICS, TrialLog
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from reports.gating.plan import Gated
from reports.gating.worktrees import Tree

MAX_S = 300.0
TESTS = "suites/test_speed.py"
"""A suite that plays scenarios; which thresholds it judges doesn't matter here."""
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:reports.plugin", "-p", "no:hypothesispytest")
TESTED = (0, 1)
"""Exit statuses of pytest after all trials were measured."""
LAST_LINES = 6


class ShortRunError(EchobenchError):
    """A run has no figures; `status` is its trial's, None when there was no trial."""

    def __init__(self, where: str, problem: str, status: TrialStatus | None = None) -> None:
        super().__init__(where, problem)
        self.status = status


@dataclass(frozen=True)
class ShortRun:
    """The figures of one run."""

    info: RunInfo
    spec: TrialSpec
    values: dict[str, float]
    absent: dict[str, str]
    """The reason, for each figure without a value."""


def measure_once(
    tree: Tree, arguments: Sequence[str], runs: Path, gated: dict[str, Gated]
) -> ShortRun:
    """Run a revision's own command line for one trial.

    Args:
        tree: The revision.
        arguments: Pytest options that select one trial.
        runs: An empty folder for the run.
        gated: The figures to read.

    Raises:
        ShortRunError: The run has no figures.
    """
    where = f"revision {tree.commit[:12]}"
    _run(tree, [*QUIET, TESTS, "--runs-dir", str(runs), *arguments], where)
    try:
        folder = RunFolder.open(runs, LATEST)
        records = [record for record in read_journal(folder.journal)
                   if record.started.spec.activity is Activity.SCENARIO]  # fmt: skip
    except EchobenchError as error:
        raise ShortRunError(where, str(error)) from error
    if len(records) != 1:
        raise ShortRunError(where, f"{len(records)} trials; give options that select one")
    return ShortRun(folder.info, records[0].started.spec, *_figures(records[0], gated, where))


def _figures(
    record: TrialRecord, gated: dict[str, Gated], where: str
) -> tuple[dict[str, float], dict[str, str]]:
    ended = record.ended
    if ended is None or ended.status is not TrialStatus.OK:
        status = TrialStatus.INTERRUPTED if ended is None else ended.status
        reason = "" if ended is None else ended.reason.partition("\n")[0]
        raise ShortRunError(where, f"its trial ended as {status}: {reason}", status)
    log = TrialLog(record.started.spec, record.events)
    measured = {name: METRICS[name](log) for name in {each.metric for each in gated.values()}}
    values, absent = {}, {}
    for name, each in gated.items():
        value = each.value_of(measured)
        if value is None:
            absent[name] = measured[each.metric].absent or f"no {each.statistic}"
        else:
            values[name] = value
    return values, absent


def _run(tree: Tree, arguments: Sequence[str], where: str) -> None:
    with subprocess.Popen(
        [tree.python, "-m", "pytest", *arguments],
        cwd=tree.folder, env=tree.environment, start_new_session=True, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        errors="replace",
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=MAX_S)
        except subprocess.TimeoutExpired as error:
            raise ShortRunError(where, f"not done after {MAX_S:g} s") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # its worker ends with it
    if process.returncode not in TESTED:
        end = " / ".join(line for line in output.splitlines()[-LAST_LINES:] if line.strip())
        raise ShortRunError(where, f"pytest ended with {process.returncode}: {end}")

"""Decides whether a change passes: exit status 0 pass, 1 fail, 2 inconclusive, 3 invalid.

Without --base, a run is judged by its thresholds. With --base, two revisions are measured in turns
on this machine, each by its own code, and head is compared with base.
"""

import argparse
import contextlib
import dataclasses
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.machine.profile import describe_machine
from harness.support.arguments import GATES, number_in, option
from harness.support.atomic_write import write_whole
from harness.support.git import CHECKOUT
from harness.verdicts.policy import Outcome, Policy, judge_run
from reports.commands.shared import RUN_HELP, Parser, add_runs_dir, say
from reports.compare.comparable import machine_class
from reports.gating import text
from reports.gating.aa_controls import Control, add_control, distrust, read_controls
from reports.gating.gate import Gate, GateResult, write_result
from reports.gating.plan import FILE, read_plan
from reports.gating.worktrees import checked_out, working_state
from reports.runs import read_run

STATUSES = {
    Outcome.PASS: 0,
    Outcome.WARN: 0,
    Outcome.FAIL: 1,
    Outcome.INCONCLUSIVE: 2,
    Outcome.INVALID: 3,
}
MINUTES = (0.1, 600.0)
MEASURED = {
    "--provider": "whisper_cpp",
    "--model": "embedded",
    "--chunk-seconds": "2",
    "--scenario": "speech_heavy",
    "--duration": "20",
}
"""What a short run measures by default."""


def add(commands: Any) -> None:
    """Add the command."""
    parser: Parser = commands.add_parser(
        "gate", help="judge a run by its thresholds, or head against base", error_status=3
    )
    parser.description = __doc__
    parser.add_argument("run", metavar="RUN", nargs="?", help=f"{RUN_HELP}; without --base")
    add_runs_dir(parser)
    add = parser.add_argument
    add("--thresholds", **option("--thresholds", "the run's own", type=Path))
    add("--gate", **option("--gate", "the run's own", choices=GATES))
    for flag, default in MEASURED.items():
        add(flag, **option(flag, default, default=default))
    add("--base", metavar="REV", help="the revision to compare head with")
    add("--head", metavar="REV", help="default: the working tree as it is")
    add("--plan", metavar="FILE", type=Path, default=FILE, help="the figures to compare")
    add("--minutes", default="30", help="begin no pair after this time; default: %(default)s")
    add("--controls", metavar="FILE", type=Path,
        help="results of earlier controls; default: beside the runs")  # fmt: skip
    add("--json", metavar="FILE", type=Path, help="also write the result to FILE")
    add("--markdown", metavar="FILE", type=Path, help="append a summary to FILE")
    add("--no-control", action="store_true",
        help="don't measure base against itself; takes a third less time")  # fmt: skip
    parser.set_defaults(run_command=run)


def run(given: argparse.Namespace) -> int:
    """Run the command, and print the result."""
    if (given.run is None) == (given.base is None):
        raise UsageError("gate", "needs a RUN or --base REV", "one of them")
    return STATUSES[_gate_by_base(given) if given.base else _gate_by_thresholds(given)]


def _gate_by_thresholds(given: argparse.Namespace) -> Outcome:
    measured = read_run(given.runs_dir, given.run, given.thresholds)
    policy = Policy.of(measured.info.options)
    if given.gate is not None:
        policy = dataclasses.replace(policy, gate=given.gate)
    judged = judge_run(measured.results, policy, measured.info.finished is not None)
    for line in text.threshold_lines(judged):
        say(line)
    _append(given.markdown, text.threshold_markdown(judged))
    return judged.outcome


def _gate_by_base(given: argparse.Namespace) -> Outcome:
    if CHECKOUT is None:
        raise UsageError("gate --base", "this is an installed copy, without revisions",
                         "a checkout of the project, where `make gate BASE=…` works")  # fmt: skip
    plan = read_plan(given.plan)
    minutes = number_in("--minutes", given.minutes, MINUTES)
    arguments = [f"{flag}={getattr(given, flag[2:].replace('-', '_'))}" for flag in MEASURED]
    with _sigterm_raises():
        head = given.head or working_state(CHECKOUT)
        with checked_out(CHECKOUT, [given.base, head]) as (base_tree, head_tree):
            gate = Gate(
                base_tree, head_tree, plan, arguments,
                control=not given.no_control, longest_s=60 * minutes, note=say,
            )  # fmt: skip
            result = gate.run()
    _check_controls(given, result)
    for line in text.gate_lines(result):
        say(line)
    if given.json is not None:
        write_result(given.json, result)
    _append(given.markdown, text.gate_markdown(result))
    return result.outcome


def _check_controls(given: argparse.Namespace, result: GateResult) -> None:
    """Record this control, and make the result invalid if controls alarm too often."""
    path = given.controls or given.runs_dir / "gates" / "controls.jsonl"
    kind = machine_class(describe_machine())
    if result.control != "off":
        day = datetime.now(UTC).date().isoformat()
        add_control(path, Control(kind, day, result.control == "alarm"))
    why = distrust(read_controls(path, kind))
    if why and result.outcome is not Outcome.INVALID:
        result.outcome, result.reason = Outcome.INVALID, f"not reliable: {why}"


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that everything is cleaned up."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _append(path: Path | None, text: str) -> None:
    if path is not None:
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        write_whole(path, (old + text).encode())

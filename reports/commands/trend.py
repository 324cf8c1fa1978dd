"""Records figures of runs, and finds which changed their level, and between which commits.

This is a report, not a gate: the exit status is 0 whatever changed.
"""

import argparse
from pathlib import Path
from typing import Any

from harness.support.atomic_write import write_whole
from harness.support.git import ROOT
from harness.verdicts.thresholds import FILE, read_thresholds
from reports.commands.shared import add_runs_dir, say
from reports.formatting import NO_BREAK, with_unit
from reports.runs import read_run
from reports.trends.history import FOLDER, add_record, read_history, record_of
from reports.trends.page import machine_trends, render_trends


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("trend", help="find what changed over many runs, and since when")
    parser.description = __doc__
    parser.add_argument("--add", metavar="RUN", action="append", default=[],
                        help="first record this run's figures; may be repeated")  # fmt: skip
    add_runs_dir(parser)
    parser.add_argument("--history", type=Path, metavar="FOLDER", default=FOLDER,
                        help="where figures are recorded; default: %(default)s")  # fmt: skip
    parser.add_argument("--thresholds", type=Path, default=FILE, metavar="FILE",
                        help="define which direction is better; default: the suites'")  # fmt: skip
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page to FILE")
    parser.set_defaults(run_command=run)


def run(given: argparse.Namespace) -> int:
    """Run the command, and print what changed."""
    thresholds = read_thresholds(given.thresholds)
    for name in given.add:
        say(add_record(given.history, record_of(read_run(given.runs_dir, name, given.thresholds))))
    trends = machine_trends(read_history(given.history), thresholds, ROOT)
    for trend in trends:
        say(trend.sentence)
        if trend.newest.outcome is not None:
            say(f"  newest run, {trend.newest.run_id}: {trend.newest.outcome}: "
                f"{trend.newest.sentence}")  # fmt: skip
        for each in trend.changes:
            change = each.moved.change
            before, after = (with_unit(level, each.series.unit).replace(NO_BREAK, " ")
                             for level in (change.before, change.after))  # fmt: skip
            say(f"  {each.moved.first_after.started[:10]} {each.moved.level}: "
                f"{each.series.figure} {before} -> {after}")  # fmt: skip
            say(f"      {each.series.trial}, {each.moved.commits}")
    if given.html is not None:
        write_whole(given.html, render_trends(trends).encode())
        say(given.html)
    return 0

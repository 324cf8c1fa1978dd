"""Compares runs with the first of them; refuses runs whose figures aren't comparable.

The exit status is 0 whatever differs, since two runs are no proof; use `gate` to fail a change.
"""

import argparse
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.support.atomic_write import write_whole
from reports.commands.shared import RUN_HELP, add_runs_dir, say
from reports.compare.comparison import compare_runs
from reports.compare.page import render_comparisons
from reports.compare.text import comparison_lines
from reports.runs import read_run
from reports.tables.csv_files import write_csv
from reports.tables.frames import difference_frame


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare runs with the first of them")
    parser.description = __doc__
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    add_runs_dir(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table to FILE")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page to FILE")
    parser.set_defaults(run_command=run)


def run(given: argparse.Namespace) -> int:
    """Run the command, and print what differs."""
    if len(given.runs) < 2:
        raise UsageError("compare", f"only {given.runs[0]}", "two runs or more")
    comparisons = compare_runs([read_run(given.runs_dir, name) for name in given.runs])
    for line in comparison_lines(comparisons):
        say(line)
    if given.csv is not None:
        write_csv(given.csv, difference_frame(comparisons))
        say(given.csv)
    if given.html is not None:
        write_whole(given.html, render_comparisons(comparisons).encode())
        say(given.html)
    return 0

"""Writes a run's page and tables again from its journal, without measuring."""

import argparse
from pathlib import Path
from typing import Any

from harness.support.arguments import option
from harness.support.atomic_write import write_whole
from reports.commands.shared import RUN_HELP, add_runs_dir, say
from reports.runs import read_run
from reports.tables.benchmark_json import benchmark_json
from reports.write import write_parquet, write_reports


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report", aliases=["render"], help="write a run's page and tables again"
    )
    parser.description = __doc__
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    add_runs_dir(parser)
    parser.add_argument("--thresholds", **option("--thresholds", "the run's own", type=Path))
    parser.add_argument("--parquet", action="store_true", help="also write the tables as Parquet")
    parser.add_argument("--benchmark-json", type=Path, metavar="FILE",
                        help="write the times in pytest-benchmark's format")  # fmt: skip
    parser.set_defaults(run_command=run)


def run(given: argparse.Namespace) -> int:
    """Run the command, and print the files written."""
    read = read_run(given.runs_dir, given.run, given.thresholds)
    for path in write_reports(read.folder, read.results, read.thresholds_path):
        say(path)
    if given.parquet:
        for path in write_parquet(read.folder, read.results):
            say(path)
    if given.benchmark_json is not None:
        write_whole(given.benchmark_json, benchmark_json(read.info, read.results))
        say(given.benchmark_json)
    return 0

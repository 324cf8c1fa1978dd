"""Arguments and output that several commands share."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from harness.journal.run_folder import LATEST, RUNS
from harness.support.arguments import option
from harness.support.sanitize import sanitize

RUN_HELP = f"a run's id, its folder, or '{LATEST}'"
USAGE_STATUS = 2


class Parser(argparse.ArgumentParser):
    """Parses a command's arguments; an error in them ends with the command's own status.

    Args:
        error_status: The status for errors, different from those of the command's results.
        **more: See `argparse.ArgumentParser`.
    """

    def __init__(self, *, error_status: int = USAGE_STATUS, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.error_status = error_status
        self.set_defaults(error_status=error_status)

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser`."""
        self.print_usage(sys.stderr)
        self.exit(self.error_status, sanitize(f"{self.prog}: {message}") + "\n")


def add_runs_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option for the folder of runs."""
    parser.add_argument("--runs-dir", **option("--runs-dir", RUNS, type=Path, default=RUNS))


def say(line: object) -> None:
    """Print a line without control characters."""
    print(sanitize(str(line)))

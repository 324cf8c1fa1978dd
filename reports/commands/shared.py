"""What several commands have in common: where runs are, and how a mistake is told."""

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
    """A command's arguments; a mistake in them ends with the command's own status.

    Args:
        error_status: That status, which has to differ from what the command's result may be.
        **more: As for `argparse.ArgumentParser`.
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
    """Add the option that says where runs are."""
    parser.add_argument("--runs-dir", **option("--runs-dir", RUNS, type=Path, default=RUNS))


def say(path: object) -> None:
    """Print a line, made harmless for a terminal."""
    print(sanitize(str(path)))

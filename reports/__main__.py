"""Renders a run again from its journal: `python -m reports RUN`; measures nothing."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import EchobenchError, JournalError
from harness.evaluate import evaluate
from harness.journal import read_journal
from harness.printable import printable
from harness.runfolder import LATEST, RUNS, RunFolder
from harness.thresholds import read_thresholds
from reports.write import thresholds_file, write_reports

USAGE_STATUS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Render a run, and print what was written.

    Args:
        arguments: Instead of the command line's.

    Returns:
        The exit status: 0, or 2 with one line on standard error that says what is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    parser.add_argument("run", metavar="RUN", help=f"a run's id, its folder, or '{LATEST}'")
    parser.add_argument("--runs-dir", type=Path, default=RUNS, help="default: %(default)s")
    parser.add_argument("--thresholds", type=Path, help="default: the run's own")
    given = parser.parse_args(arguments)
    try:
        written = rerender(given.runs_dir, given.run, given.thresholds)
    except EchobenchError as error:
        print(printable(" ".join(str(error).split())), file=sys.stderr)
        return USAGE_STATUS
    for path in written:
        print(printable(str(path)))
    return 0


def rerender(runs: Path, run: str, thresholds: Path | None = None) -> list[Path]:
    """Write a run's reports again.

    Args:
        runs: Where runs are.
        run: One of them, by id, by path, or `latest`.
        thresholds: Judge by this file instead of the run's own.

    Returns:
        What was written.

    Raises:
        UsageError: There is no such run, or a file of thresholds that can't be used.
        JournalError: The run is damaged, or nothing can be written.
    """
    folder = RunFolder.open(runs, run)
    if not folder.journal.is_file():
        raise JournalError(str(folder.journal), "no such file", "a run that was measured")
    path = thresholds or thresholds_file(folder)
    results = evaluate(read_journal(folder.journal), read_thresholds(path))
    return write_reports(folder, list(results.values()), path)


if __name__ == "__main__":
    sys.exit(main())

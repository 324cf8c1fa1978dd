"""Looks after corpora: `python -m corpora check MANIFEST`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from corpora.recordings.check import check_manifest
from harness.errors import DataFileError
from harness.support.durations import clock_time
from harness.support.sanitize import sanitize

WITH_ERRORS, BAD_USAGE, BROKEN_OFF = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m corpora", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser(
        "check",
        help="list what is wrong with a corpus of your own, and what to do",
        description="List what is wrong with a corpus of your own: file, line, what to do.",
        epilog="Ends with 0, also where there are only warnings; with 1 if there are errors, with "
        "which a run would refuse the corpus; with 2 if it can't be told what to check.",
    )
    check.add_argument("manifest", type=Path, metavar="MANIFEST", help="a .jsonl file")
    given = parser.parse_args(arguments)
    try:
        return _check(given.manifest.expanduser())
    except KeyboardInterrupt:
        return BROKEN_OFF


def _check(path: Path) -> int:
    try:
        if not path.is_file():
            raise DataFileError(str(path), "no such file", "the path of a manifest")
        corpus = check_manifest(path)
    except DataFileError as error:
        print(sanitize(f"error: {error}"), file=sys.stderr)
        return BAD_USAGE
    files = {recording.path for recording in corpus.recordings}
    spoken_s = sum(utterance.duration_s for utterance in corpus.utterances)
    timed = sum(utterance.words is not None for utterance in corpus.utterances)
    rows = [
        ("corpus", str(path)),
        ("files", f"{len(files)}, {_outside(files, path.resolve().parent)}"),
        ("utterances", f"{len(corpus.utterances)}, {clock_time(spoken_s)} minutes in all"),
        ("word times", f"in {timed} of them"),
    ]
    for label, text in rows:
        print(f"{label:<12} {sanitize(text)}")
    print()
    print(corpus.listing or "nothing is wrong")
    return WITH_ERRORS if corpus.errors else 0


def _outside(files: set[Path], folder: Path) -> str:
    count = sum(not file.is_relative_to(folder) for file in files)
    share = {0: "none", len(files): "all"}.get(count, f"{count} of them")
    return f"{share} outside the manifest's folder"


if __name__ == "__main__":
    sys.exit(main())

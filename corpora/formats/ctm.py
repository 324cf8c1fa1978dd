"""CTM files: one word per line, as NIST's scorers, Kaldi and NeMo's forced aligner write them.

A line is `FILE CHANNEL START DURATION WORD [CONFIDENCE ...]`, in seconds of the file; what follows
`;;` is a comment.
"""

import math
from pathlib import Path

from harness.contract import Word
from harness.errors import DataFileError
from harness.support.data_file import reason

ALLOWED = "FILE CHANNEL START DURATION WORD, times in seconds"
FIELDS = 5


def read_ctm(path: Path) -> dict[str, list[Word]]:
    """Read the words of a CTM file, by the names of the recordings, in the order of their starts.

    Raises:
        DataFileError: The file can't be read, or a line isn't as above.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(str(path), reason(error), "a CTM file in UTF-8") from error
    words: dict[str, list[Word]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith(";;"):
            name, word = _word(line, f"{path}, line {number}")
            words.setdefault(name, []).append(word)
    return {name: sorted(said, key=lambda word: word.t0) for name, said in words.items()}


def _word(line: str, where: str) -> tuple[str, Word]:
    fields = line.split()
    if len(fields) < FIELDS:
        raise DataFileError(where, f"{len(fields)} fields", ALLOWED)
    name, _, start, duration, text, *_ = fields
    try:
        start_s, duration_s = float(start), float(duration)
    except ValueError as error:
        raise DataFileError(where, str(error), ALLOWED) from error
    if not (0 <= start_s < math.inf and 0 <= duration_s < math.inf):
        raise DataFileError(where, f"{duration_s} s from {start_s} s on", ALLOWED)
    return name, Word(text, start_s, start_s + duration_s)

"""TextGrid files, as Praat and the Montreal Forced Aligner write them, in the long or short form.

Praat itself reads only the strings and the numbers that stand alone, in their order; the names
between them (`xmin =`, `intervals [1]:`) are for people. So does this reader.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from harness.contract import Word
from harness.errors import DataFileError
from harness.support.data_file import reason

_VALUE = re.compile(
    r'"(?P<string>(?:[^"]|"")*)"|(?<!\S)(?P<number>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)(?!\S)'
)
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Praat writes UTF-16 where a text isn't ASCII."""
INTERVALS, POINTS = "IntervalTier", "TextTier"
ALLOWED = "a TextGrid file as Praat writes it"


def read_textgrid(path: Path) -> list[Word]:
    """Read the words of a TextGrid: the intervals with a text of the tier of words.

    That tier is the one called `words` or `word`, perhaps after a speaker's name; if it is the only
    tier of intervals, its name doesn't matter.

    Returns:
        Words in the order of their starts, in seconds of the recording.

    Raises:
        DataFileError: It isn't a TextGrid, or it isn't clear which tier holds the words.
    """
    try:
        content = path.read_bytes()
        text = content.decode(_MARKS.get(content[:2], "utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(str(path), reason(error), ALLOWED) from error
    try:
        tiers = list(_tiers(_values(text)))
    except (RuntimeError, ValueError, KeyError) as error:
        raise DataFileError(str(path), "ends early or isn't a TextGrid", ALLOWED) from error
    named = [tier for tier in tiers if re.search(r"\bwords?$", tier[0].strip().lower())]
    chosen = named or tiers
    if not chosen or (len(chosen) > 1 and not named):
        problem = f"tiers of intervals: {', '.join(name for name, _ in tiers) or 'none'}"
        raise DataFileError(str(path), problem, "a tier called words")
    words = [word for _, said in chosen for word in said if word.text.strip()]
    return sorted(words, key=lambda word: word.t0)


def _values(text: str) -> Iterator[str | float]:
    for match in _VALUE.finditer(text):
        string = match["string"]
        yield float(match["number"]) if string is None else string.replace('""', '"')


def _tiers(values: Iterator[str | float]) -> Iterator[tuple[str, list[Word]]]:
    if list(islice(values, 2)) != ["ooTextFile", "TextGrid"]:
        raise ValueError("not a TextGrid")
    _, _, count = islice(values, 3)  # the recording's begin and end, and how many tiers there are
    for _ in range(int(count)):
        kind, name, _, _, size = islice(values, 5)
        width = {INTERVALS: 3, POINTS: 2}[str(kind)]
        items = [tuple(islice(values, width)) for _ in range(int(size))]
        if kind == INTERVALS:
            yield str(name), [Word(str(said), float(t0), float(t1)) for t0, t1, said in items]

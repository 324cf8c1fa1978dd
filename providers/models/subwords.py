"""From the pieces of words that transducers and CTC models say, with their times, to words."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from harness.contract import Word
from harness.errors import ModelError

MAX_PIECE_S = 0.4
"""A piece is told when it begins; it ends when the next one begins, but not later than this."""


def words_of(pieces: Sequence[str], begins_s: Sequence[float], end_s: float) -> list[Word]:
    """Join pieces to words; one that begins with a space, or with ▁, begins a word.

    Args:
        pieces: In order.
        begins_s: When each begins, in seconds.
        end_s: Where what was heard ends.

    >>> words_of([" op", "en", " it"], [0.2, 0.5, 2.0], 2.1)
    [Word(text='open', t0=0.2, t1=0.9), Word(text='it', t0=2.0, t1=2.1)]
    """
    words: list[Word] = []
    for piece, (begin, after) in zip(pieces, pairwise([*begins_s, end_s]), strict=True):
        text = piece.replace("\u2581", " ")
        begin_s = round(begin, 3)
        t1 = round(max(begin_s, min(after, begin_s + MAX_PIECE_S)), 3)
        if text.startswith(" ") or not words:
            words.append(Word(text.strip(), begin_s, t1))
        else:
            words[-1] = Word(words[-1].text + text.strip(), words[-1].t0, t1)
    return [word for word in words if word.text]


def check_pieces(path: Path, blank: str) -> int:
    """Check a list of pieces, one a line, each followed by its number; return how many.

    Raises:
        ModelError: It is missing, says something else, or lacks the blank.
    """
    allowed = f"a text file of pieces and their numbers, {blank} among them"
    if not path.is_file():
        raise ModelError(str(path.parent), f"has no {path.name}", allowed)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(str(path), f"not readable ({error})", allowed) from error
    pieces, indices = set(), []
    for number, line in enumerate(lines, start=1):
        piece, space, index = line.rstrip().rpartition(" ")
        if not (space and index.isascii() and index.isdecimal()):
            raise ModelError(str(path), f"line {number} is {line[:40]!r}", allowed)
        pieces.add(piece)
        indices.append(int(index))
    if blank not in pieces or sorted(indices) != list(range(len(indices))):
        problem = f"{len(indices)} pieces, not numbered from 0 on, or without {blank}"
        raise ModelError(str(path), problem, allowed)
    return len(indices)

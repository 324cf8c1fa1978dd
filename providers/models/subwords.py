"""Joins the subword pieces of transducers and CTC models, with their times, to words."""

from collections.abc import Sequence
from itertools import pairwise

from harness.contract import Word

MAX_PIECE_S = 0.4
"""Only a piece's begin is known; it ends when the next one begins, but at most this much later."""


def words_of(pieces: Sequence[str], begins_s: Sequence[float], end_s: float) -> list[Word]:
    """Join pieces to words; a piece that begins with a space or ▁ begins a word.

    Args:
        pieces: In order.
        begins_s: When each begins, in seconds.
        end_s: Where the decoded audio ends.

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

"""Checks what a provider says before it is written down: types, numbers and sizes."""

import math

from harness.contract import ASRSegment, Word
from harness.errors import ProviderError

LONGEST_TEXT = 100_000
"""Characters of one segment: hours of speech, so a runaway provider and not a long talker."""


class BadOutputError(ProviderError):
    """A provider said something that the contract has no form for."""


def checked_segment(segment: object, where: str) -> ASRSegment:
    """Return the segment if it has the contract's form.

    Whether it makes sense (order, overlap, stability) is for the metrics to judge.

    Raises:
        BadOutputError: A wrong type, a time that is no number or runs backwards, or a huge text.
    """
    if not isinstance(segment, ASRSegment):
        raise BadOutputError(where, f"said a {type(segment).__name__}", "ASRSegment")
    if not isinstance(segment.text, str) or not isinstance(segment.is_final, bool):
        raise BadOutputError(where, f"said {segment!r:.200}", "text and is_final of their types")
    if len(segment.text) > LONGEST_TEXT:
        raise BadOutputError(
            where, f"a text of {len(segment.text)} characters", f"at most {LONGEST_TEXT}"
        )
    if not all(isinstance(word, Word) and isinstance(word.text, str) for word in segment.words):
        raise BadOutputError(where, f"words {segment.words!r:.200}", "a tuple of Word")
    _check_times(segment, where)
    for word in segment.words:
        _check_times(word, where)
    return segment


def _check_times(piece: ASRSegment | Word, where: str) -> None:
    numbers = all(isinstance(time, int | float) and math.isfinite(time)
                  for time in (piece.t0, piece.t1))  # fmt: skip
    if not numbers or not 0 <= piece.t0 <= piece.t1:
        raise BadOutputError(
            where, f"times {piece.t0!r} to {piece.t1!r} of {piece.text!r:.80}",
            "seconds of audio, 0 <= t0 <= t1",
        )  # fmt: skip

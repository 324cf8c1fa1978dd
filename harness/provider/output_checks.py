"""Checks a provider's output before it is recorded: types, numbers and sizes."""

from typing import TypeVar

import msgspec

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.errors import BadOutputError

T = TypeVar("T")

MAX_TEXT = 100_000
"""Characters per segment, enough for hours of speech; more is a runaway provider."""
MAX_SEGMENT = 1_000_000
"""Bytes per segment with all its words, as JSON; a worker's message may be a little longer."""
MAX_SEGMENTS = 1000
"""Segments per chunk that was taken; more is a runaway provider."""


def checked_segment(segment: object, source: AudioSource | None, where: str) -> ASRSegment:
    """Check that a segment has the contract's form, and return it as the journal will have it.

    The metrics judge whether it makes sense (order, overlap, stability).

    Args:
        segment: The provider's output.
        source: The source of the audio; None for audio without a named source.
        where: The provider and source, for messages.

    Raises:
        BadOutputError: A wrong type, a time that isn't a number, an end before the beginning, a
            huge text, text that isn't Unicode, or another source's segment.
    """
    if not isinstance(segment, ASRSegment):
        raise BadOutputError(where, f"yielded a {type(segment).__name__}", "ASRSegment")
    if not isinstance(segment.text, str):
        raise BadOutputError(where, f"a text of type {type(segment.text).__name__}", "str")
    if len(segment.text) > MAX_TEXT:
        raise BadOutputError(
            where, f"a text of {len(segment.text)} characters", f"at most {MAX_TEXT}"
        )
    encoded, checked = _through_json(segment, ASRSegment, where)
    if len(encoded) > MAX_SEGMENT:
        raise BadOutputError(
            where, f"a segment of {len(encoded)} bytes", f"at most {MAX_SEGMENT} bytes as JSON"
        )
    if checked.source is not source:
        raise BadOutputError(where, f"a segment of source {checked.source}", str(source))
    _check_times(checked, where)
    for word in checked.words:
        _check_times(word, where)
    return checked


def checked_health(health: object, where: str) -> ASRHealth:
    """Check the form of a health report, and return it as the journal will have it.

    Raises:
        BadOutputError: A wrong type, or a huge text.
    """
    if not isinstance(health, ASRHealth):
        raise BadOutputError(where, f"health of type {type(health).__name__}", "ASRHealth")
    encoded, checked = _through_json(health, ASRHealth, where)
    if len(encoded) > MAX_TEXT:
        raise BadOutputError(
            where, f"health of {len(encoded)} bytes", f"at most {MAX_TEXT} bytes as JSON"
        )
    return checked


def _through_json(output: T, kind: type[T], where: str) -> tuple[bytes, T]:
    """Encode and decode an output, which checks the types of its fields."""
    try:
        encoded = msgspec.json.encode(output)
        return encoded, msgspec.json.decode(encoded, type=kind)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise BadOutputError(
            where, f"yielded {output!r:.300} ({error})", "the contract's types, and finite times"
        ) from error


def _check_times(piece: ASRSegment | Word, where: str) -> None:
    if not 0 <= piece.t0 <= piece.t1:
        raise BadOutputError(
            where, f"times {piece.t0!r} to {piece.t1!r} of {piece.text!r:.80}",
            "seconds of audio, 0 <= t0 <= t1",
        )  # fmt: skip

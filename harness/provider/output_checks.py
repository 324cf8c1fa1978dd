"""Checks what a provider says before it is written down: types, numbers and sizes."""

from typing import TypeVar

import msgspec

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.errors import BadOutputError

T = TypeVar("T")

MAX_TEXT = 100_000
"""Characters of one segment: hours of speech, so a runaway provider and not a long talker."""
MAX_SEGMENT = 1_000_000
"""Bytes of one segment with all its words, as JSON; a worker's line holds a little more."""
MAX_SEGMENTS = 1000
"""Segments for each chunk that was taken; more come from a provider that can't stop."""


def checked_segment(segment: object, source: AudioSource | None, where: str) -> ASRSegment:
    """Return the segment as the journal will have it, if it has the contract's form.

    Whether it makes sense (order, overlap, stability) is for the metrics to judge.

    Args:
        segment: What the provider said.
        source: Whose audio it was given; None for audio without a name.
        where: The provider and source, for messages.

    Raises:
        BadOutputError: A wrong type, a time that is no number or runs backwards, a huge text,
            text that is no Unicode, or another source's segment.
    """
    if not isinstance(segment, ASRSegment):
        raise BadOutputError(where, f"said a {type(segment).__name__}", "ASRSegment")
    if not isinstance(segment.text, str):
        raise BadOutputError(where, f"a text of type {type(segment.text).__name__}", "str")
    if len(segment.text) > MAX_TEXT:
        raise BadOutputError(
            where, f"a text of {len(segment.text)} characters", f"at most {MAX_TEXT}"
        )
    encoded, sound = _through_json(segment, ASRSegment, where)
    if len(encoded) > MAX_SEGMENT:
        raise BadOutputError(
            where, f"a segment of {len(encoded)} bytes", f"at most {MAX_SEGMENT} bytes as JSON"
        )
    if sound.source is not source:
        raise BadOutputError(where, f"a segment of source {sound.source}", str(source))
    _check_times(sound, where)
    for word in sound.words:
        _check_times(word, where)
    return sound


def checked_health(health: object, where: str) -> ASRHealth:
    """Return the health as the journal will have it, if it has the contract's form.

    Raises:
        BadOutputError: A wrong type, or more text than anyone reads.
    """
    if not isinstance(health, ASRHealth):
        raise BadOutputError(where, f"health of type {type(health).__name__}", "ASRHealth")
    encoded, sound = _through_json(health, ASRHealth, where)
    if len(encoded) > MAX_TEXT:
        raise BadOutputError(
            where, f"health of {len(encoded)} bytes", f"at most {MAX_TEXT} bytes as JSON"
        )
    return sound


def _through_json(said: T, kind: type[T], where: str) -> tuple[bytes, T]:
    """Encode and decode, which only what has the right types survives."""
    try:
        encoded = msgspec.json.encode(said)
        return encoded, msgspec.json.decode(encoded, type=kind)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise BadOutputError(
            where, f"said {said!r:.300} ({error})", "the contract's types, and finite times"
        ) from error


def _check_times(piece: ASRSegment | Word, where: str) -> None:
    if not 0 <= piece.t0 <= piece.t1:
        raise BadOutputError(
            where, f"times {piece.t0!r} to {piece.t1!r} of {piece.text!r:.80}",
            "seconds of audio, 0 <= t0 <= t1",
        )  # fmt: skip

"""Builds one source's segments as the contract requires: revisions, and times in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.audio import Samples, to_float
from harness.contract import ASRSegment, AudioSource, Word
from harness.errors import AudioError
from providers.streaming.agreement import agreed


@dataclass
class Captions:
    """The open segment of a source, and the end of the final before it."""

    source: AudioSource | None
    latest: ASRSegment | None = None
    """The latest revision of the open segment; None when no segment is open."""
    last_final_t1: float = 0.0

    def forget(self) -> None:
        """Discard the open segment; the next text begins another."""
        self.latest = None

    def settle(self) -> ASRSegment | None:
        """Make the latest revision of the open segment its final; None if it has no text."""
        if (latest := self.latest) is None or not latest.text:
            return None
        span_s = latest.t0, latest.t1
        return self.revise(
            latest.segment_id, latest.text, span_s, is_final=True, words=latest.words
        )

    def revise(
        self,
        segment_id: int,
        text: str,
        span_s: tuple[float, float],
        *,
        is_final: bool,
        words: Sequence[Word] = (),
    ) -> ASRSegment:
        """Build the next revision; the words on which it and the one before agree are stable.

        Args:
            segment_id: Grows from segment to segment.
            text: The segment's whole text.
            span_s: Begin and end of its speech, in seconds since the session's start; moved to
                begin no earlier than the previous final ends.
            is_final: Whether this is the final.
            words: With times inside the span, where the engine reports them.

        >>> captions = Captions(None)
        >>> captions.revise(0, "open the", (0.5, 1.0), is_final=False).stable_words
        0
        >>> captions.revise(0, "open the door", (0.5, 1.5), is_final=False).stable_words
        2
        >>> final = captions.revise(0, "open a door", (0.5, 1.6), is_final=True)
        >>> final.revision, final.stable_words
        (2, 3)
        >>> captions.revise(1, "please", (1.4, 2.0), is_final=False).t0
        1.6
        """
        now, before = text.split(), self.latest
        words_before = before.text.split() if before else ()
        t0 = max(span_s[0], self.last_final_t1)
        segment = ASRSegment(
            source=self.source,
            segment_id=segment_id,
            revision=before.revision + 1 if before else 0,
            is_final=is_final,
            text=text,
            t0=t0,
            t1=max(span_s[1], t0),
            words=tuple(words),
            stable_words=len(now) if is_final else agreed(words_before, now),
        )
        self.latest = None if is_final else segment
        if is_final:
            self.last_final_t1 = segment.t1
        return segment


def placed(
    words: Sequence[Word], begin_s: float, end_s: float, not_before_s: float = 0.0
) -> list[Word]:
    """Shift words from a window's time to the session's, in order and within the window.

    Engines report times that go back, overlap or lie after the end of the audio.

    Args:
        words: Times are seconds since the window's beginning.
        begin_s: Where the window begins, in seconds since the session's start.
        end_s: Where it ends.
        not_before_s: Where the previous final ended.

    >>> placed([Word("a", 0.2, 0.1), Word("b", 0.1, 7.0)], 1.0, 2.0, not_before_s=1.5)
    [Word(text='a', t0=1.5, t1=1.5), Word(text='b', t0=1.5, t1=2.0)]
    """
    earliest_s = min(max(not_before_s, begin_s), end_s)
    result = []
    for word in words:
        moved = word.shifted(begin_s, earliest_s, end_s)
        earliest_s = max(moved.t1, moved.t0)
        result.append(Word(word.text, moved.t0, earliest_s))
    return result


def checked_samples(pcm: object, where: str) -> Samples:
    r"""Convert a chunk of the contract's PCM to floats.

    Args:
        pcm: Bytes of 16-bit little-endian mono PCM.
        where: The provider, source and chunk, for messages.

    Raises:
        AudioError: It isn't bytes, is empty, or ends within a sample.

    >>> checked_samples(b"\x00\x40", "chunk 0").tolist()
    [0.5]
    """
    if not isinstance(pcm, bytes | bytearray | memoryview):
        raise AudioError(where, type(pcm).__name__, "bytes of 16-bit mono PCM")
    if not pcm or len(pcm) % 2:
        raise AudioError(where, f"{len(pcm)} bytes", "2, 4, 6, … bytes of 16-bit mono PCM")
    return to_float(bytes(pcm))

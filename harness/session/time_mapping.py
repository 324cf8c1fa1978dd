"""Maps a provider's times to its source's time axis.

A provider counts only the audio that it received. Where silence was filtered out or chunks were
dropped, that is less than the source has played, so its times have to be moved.
"""

from bisect import bisect_left, bisect_right

import msgspec

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment, Word
from harness.session.chunking import Chunk


class SourceTimeMap:
    """Knows which stretches of the source the provider received, in order."""

    def __init__(self) -> None:
        self._given = [0]  # samples received when each stretch began
        self._shift = [0]  # how much later that stretch lies in the source
        self._total = 0

    def add(self, chunk: Chunk) -> None:
        """Note that a chunk was handed over."""
        shift = chunk.first_sample - self._total
        if shift != self._shift[-1]:
            self._given.append(self._total)
            self._shift.append(shift)
        self._total += len(chunk.pcm)

    def began_s(self, time_s: float) -> float:
        """The source's time for something that begins at a provider's time."""
        return time_s + self._shift_at(bisect_right(self._given, time_s * SAMPLE_RATE_HZ))

    def ended_s(self, time_s: float) -> float:
        """The same for something that ends: at a gap, the time before the gap."""
        return time_s + self._shift_at(bisect_left(self._given, time_s * SAMPLE_RATE_HZ))

    def moved(self, segment: ASRSegment) -> ASRSegment:
        """Move a segment and its words to the source's time.

        >>> import numpy as np
        >>> time_map = SourceTimeMap()
        >>> second = np.zeros(SAMPLE_RATE_HZ, np.int16)
        >>> time_map.add(Chunk(0, 0, second))
        >>> time_map.add(Chunk(1, 5 * SAMPLE_RATE_HZ, second))
        >>> time_map.ended_s(1.0), time_map.began_s(1.0), time_map.ended_s(1.5)
        (1.0, 5.0, 5.5)
        """
        if len(self._given) == 1:
            return segment
        words = tuple(Word(word.text, *self._span_s(word)) for word in segment.words)
        t0, t1 = self._span_s(segment)
        return msgspec.structs.replace(segment, t0=t0, t1=t1, words=words)

    def _span_s(self, item: ASRSegment | Word) -> tuple[float, float]:
        """Its begin and end in the source's time; a gap may lie between them."""
        began_s = self.began_s(item.t0)
        return began_s, max(began_s, self.ended_s(item.t1))

    def _shift_at(self, found: int) -> float:
        return self._shift[max(0, found - 1)] / SAMPLE_RATE_HZ

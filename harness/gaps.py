"""Where chunks were left out of a stream, so that a provider's times can be put right."""

from bisect import bisect_left, bisect_right

import msgspec

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment, Word


class Gaps:
    """A provider counts the audio that it is given; what was dropped before it took place too.

    >>> gaps = Gaps()
    >>> gaps.handed_over(0, 0)
    >>> gaps.handed_over(16_000, 48_000)  # two seconds were dropped after the first
    >>> gaps.begin_s(0.5), gaps.end_s(1.0), gaps.begin_s(1.0), gaps.end_s(1.5)
    (0.5, 1.0, 3.0, 3.5)
    """

    def __init__(self) -> None:
        self._theirs_s: list[float] = []
        self._shift_s: list[float] = [0.0]

    def handed_over(self, theirs: int, first_sample: int) -> None:
        """Note a chunk.

        Args:
            theirs: How many samples the provider had been given before it.
            first_sample: Which of the source's samples it begins with.
        """
        shift_s = (first_sample - theirs) / SAMPLE_RATE_HZ
        if shift_s != self._shift_s[-1]:
            self._theirs_s.append(theirs / SAMPLE_RATE_HZ)
            self._shift_s.append(shift_s)

    def begin_s(self, theirs_s: float) -> float:
        """The source's time at which something begins; behind a gap, if it begins there."""
        return theirs_s + self._shift_s[bisect_right(self._theirs_s, theirs_s)]

    def end_s(self, theirs_s: float) -> float:
        """The source's time at which something ends; before a gap, if it ends there."""
        return theirs_s + self._shift_s[bisect_left(self._theirs_s, theirs_s)]

    def in_source_time(self, segment: ASRSegment) -> ASRSegment:
        """A segment with its times as the source has them."""
        if not self._theirs_s:
            return segment
        t0 = self.begin_s(segment.t0)
        return msgspec.structs.replace(
            segment,
            t0=t0,
            t1=max(t0, self.end_s(segment.t1)),
            words=tuple(
                Word(word.text, begin := self.begin_s(word.t0), max(begin, self.end_s(word.t1)))
                for word in segment.words
            ),
        )

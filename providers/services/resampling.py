"""The project's PCM at another rate, piece by piece, for services that take no other."""

import numpy as np
import soxr

from harness.audio import SAMPLE_RATE_HZ


class Resampler:
    """Converts utterances one after another; the filter's memory ends with each.

    Args:
        rate_hz: The rate to convert to.
        shortest: Samples that an utterance has at least; silence is put behind a shorter one.

    >>> resampler = Resampler(24_000, shortest=2400)
    >>> pieces = [resampler.piece(bytes(2 * 1600)) for _ in range(10)]
    >>> sum(map(len, pieces)) + len(resampler.rest()) == 2 * 24_000
    True
    >>> len(resampler.piece(bytes(2 * 16)) + resampler.rest())
    4800
    """

    def __init__(self, rate_hz: int, shortest: int) -> None:
        self._rate_hz, self._shortest = rate_hz, shortest
        self._begin()

    def piece(self, pcm: bytes) -> bytes:
        """Convert the next piece of the utterance; a little of it stays in the filter."""
        return self._counted(np.frombuffer(pcm, "<i2"), last=False)

    def rest(self) -> bytes:
        """What is left of the utterance; the next one may begin."""
        rest = self._counted(np.zeros(0, np.int16), last=True)
        missing = max(0, self._shortest - self._given)
        self._begin()
        return rest + bytes(2 * missing)

    def _begin(self) -> None:
        self._stream = soxr.ResampleStream(SAMPLE_RATE_HZ, self._rate_hz, 1, dtype="int16")
        self._given = 0

    def _counted(self, samples: np.ndarray, *, last: bool) -> bytes:
        converted = self._stream.resample_chunk(samples, last=last)
        self._given += len(converted)
        return bytes(converted.astype("<i2", copy=False).tobytes())

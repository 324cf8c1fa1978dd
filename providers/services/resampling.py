"""Resamples the project's PCM piece by piece for services that require another rate."""

import numpy as np
import soxr

from harness.audio import SAMPLE_RATE_HZ


class Resampler:
    """Converts utterances one after another; the filter is reset after each.

    Args:
        rate_hz: The rate to convert to.
        shortest: Minimum samples of an utterance; a shorter one is padded with silence.

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
        """Convert the next piece of the utterance; some samples stay in the filter."""
        return self._counted(np.frombuffer(pcm, "<i2"), last=False)

    def rest(self) -> bytes:
        """Return the rest of the utterance, and reset for the next one."""
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

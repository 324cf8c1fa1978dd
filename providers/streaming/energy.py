"""Detects speech by energy alone, for endpointing, where a wrong answer has little effect.

The level of each 20 ms frame, in the band with most of a voice's energy, is compared with the
quietest frame of the last seconds. So a steady noise (hum, fan, rain) counts as silence once it has
lasted that long, since speech has gaps; and any loud intermittent sound counts as speech.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from harness.audio import SAMPLE_RATE_HZ, Samples

FRAME = SAMPLE_RATE_HZ // 50
"""Samples per frame: 20 ms."""
BAND_HZ = (200, 4000)
"""Mains hum and rumble are below; voices have little energy above."""
BEGINS_ABOVE_FLOOR_DB = 8.0
ENDS_BELOW_FLOOR_DB = 5.0
"""Lower, so that a word's faint end is included; noise alone varies less than this."""
QUIETEST_SPEECH_DB = -60.0
FLOOR_S = 3.0
"""The floor is the lowest level of this many seconds; speech rarely lasts longer without a gap."""

_TAPER = np.hanning(FRAME).astype(np.float32)
_BINS = slice(BAND_HZ[0] * FRAME // SAMPLE_RATE_HZ, BAND_HZ[1] * FRAME // SAMPLE_RATE_HZ + 1)
_SCALE = 2 / (FRAME * float(np.sum(_TAPER**2)))


def levels_db(samples: Samples) -> NDArray[np.float32]:
    """Compute the level of each whole frame within the band, in dB of full scale (RMS).

    Args:
        samples: float32, shape (n,).

    Returns:
        float32, shape (n // FRAME,); -100 for digital silence.

    >>> kilohertz = np.sin(2 * np.pi * 1000 * np.arange(2 * FRAME) / SAMPLE_RATE_HZ)
    >>> levels_db(kilohertz.astype(np.float32)).round(1).tolist()
    [-3.0, -3.0]
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME) * _TAPER
    spectrum = np.abs(np.fft.rfft(frames, axis=1)[:, _BINS])
    power = np.einsum("ij,ij->i", spectrum, spectrum) * _SCALE
    return np.asarray(10 * np.log10(power + 1e-10), np.float32)


class EnergyDetector:
    """Classifies frames as speech or silence; keeps the last seconds between calls."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=round(FLOOR_S * SAMPLE_RATE_HZ / FRAME))
        self._in_speech = False

    def __call__(self, levels: NDArray[np.float32]) -> list[bool]:
        """Classify the next frames.

        Args:
            levels: The output of `levels_db`.

        Returns:
            One value per frame; True is speech.
        """
        answers = []
        for level in levels.tolist():
            self._recent.append(level)
            margin = ENDS_BELOW_FLOOR_DB if self._in_speech else BEGINS_ABOVE_FLOOR_DB
            self._in_speech = level > max(min(self._recent) + margin, QUIETEST_SPEECH_DB)
            answers.append(self._in_speech)
        return answers

"""Speech or silence, from energy alone: for endpointing, where a wrong answer costs little.

The level of each 20 ms frame is compared with a noise floor that follows the quietest frames. It
takes a hum or a fan for silence once the floor has risen to it, and any loud sound for speech.
"""

import numpy as np
from numpy.typing import NDArray

from harness.audio import SAMPLE_RATE_HZ, Samples

FRAME = SAMPLE_RATE_HZ // 50
"""Samples a frame: 20 ms."""
ABOVE_FLOOR_DB = 10.0
QUIETEST_SPEECH_DB = -58.0
LOUDEST_FLOOR_DB = -30.0
FLOOR_RISE_DB = 0.06
"""A frame: 3 dB a second. Falling is immediate, so the pauses between words hold the floor down."""


def levels_db(samples: Samples) -> NDArray[np.float32]:
    """Root-mean-square level of each whole frame, in dB of full scale.

    Args:
        samples: float32, shape (n,).

    Returns:
        float32, shape (n // FRAME,); -100 for digital silence.

    >>> levels_db(np.full(2 * FRAME, 0.1, np.float32)).round(1).tolist()
    [-20.0, -20.0]
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.einsum("ij,ij->i", frames, frames) / FRAME
    levels: NDArray[np.float32] = 10 * np.log10(power + 1e-10)
    return levels


class EnergyDetector:
    """Marks frames as speech; keeps the noise floor from call to call."""

    def __init__(self) -> None:
        self.floor_db: float | None = None

    def __call__(self, levels: NDArray[np.float32]) -> list[bool]:
        """Judge the next frames.

        Args:
            levels: The output of `levels_db`.

        Returns:
            One answer a frame; True is speech.
        """
        floor = self.floor_db
        answers = []
        for level in levels.tolist():
            risen = level if floor is None else floor + FLOOR_RISE_DB
            floor = min(level, risen, LOUDEST_FLOOR_DB)
            answers.append(level > max(floor + ABOVE_FLOOR_DB, QUIETEST_SPEECH_DB))
        self.floor_db = floor
        return answers

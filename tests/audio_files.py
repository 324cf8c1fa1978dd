"""Audio files for tests: tones, written in any format."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def tone(frequency_hz: float, rate_hz: int, length_s: float = 0.5, level: float = 0.5) -> Floats:
    at = np.arange(round(length_s * rate_hz)) / rate_hz
    return level * np.sin(2 * np.pi * frequency_hz * at)


def write(path: Path, samples: Floats, rate_hz: int, kind: tuple[str, str]) -> Path:
    soundfile.write(path, samples, rate_hz, format=kind[0], subtype=kind[1])
    return path

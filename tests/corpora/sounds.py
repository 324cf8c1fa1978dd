"""What tests of corpora share: sound files made on the spot, and manifests of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.audio import SAMPLE_RATE_HZ

Samples = NDArray[np.float64]


def tone(seconds: float, level_dbfs: float = -20.0) -> Samples:
    """A sine of 440 Hz."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    loud: Samples = np.sin(2 * np.pi * 440 * times) * np.sqrt(2) * 10 ** (level_dbfs / 20)
    return loud


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ))


def write_lines(folder: Path, *lines: dict[str, Any] | str) -> Path:
    """Write a manifest."""
    path = folder / "talks.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def write_sound(path: Path, samples: Samples, subtype: str = "PCM_16") -> dict[str, Any]:
    """Write a file at 16 kHz, and return the line about it."""
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype=subtype)
    seconds = len(samples) / SAMPLE_RATE_HZ
    return {"audio_filepath": path.name, "duration": seconds, "text": "open the door"}


def good_lines(folder: Path, count: int = 3) -> list[dict[str, Any]]:
    """Lines about files with which nothing is wrong."""
    return [write_sound(folder / f"good{number}.wav", tone(1.0)) for number in range(count)]

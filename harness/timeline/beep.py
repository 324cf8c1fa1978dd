"""Generates the beep that precedes a marker's words, and locates it in audio.

It is a short sweep, since the autocorrelation of a sweep has one sharp peak: a matched filter
locates it to the sample, also under speech and noise.
"""

from typing import Final

import numpy as np

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ, Pcm16, Samples

BEEP_S: Final = 0.15
GAP_S: Final = 0.35
"""Silence between the beep and the words."""
FROM_HZ, TO_HZ = 900.0, 2700.0
LEVEL_DB: Final = -15.0
MIN_SCORE: Final = 0.5
"""Of the normalised correlation, which is 1 for the beep alone and near 0 for other audio."""
SEARCH_S: Final = 0.5


def beep() -> Samples:
    """Generate the sweep: float32, shape (2400,), in units of a 16-bit sample.

    >>> len(beep()) / SAMPLE_RATE_HZ
    0.15
    """
    times_s = np.arange(round(BEEP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phase = 2 * np.pi * (FROM_HZ * times_s + (TO_HZ - FROM_HZ) / (2 * BEEP_S) * times_s**2)
    amplitude = FULL_SCALE * 10 ** (LEVEL_DB / 20)
    return (amplitude * np.sin(phase) * np.hanning(len(times_s))).astype(np.float32)


def locate(audio: Pcm16, expected: int) -> int | None:
    """Find the beep's first sample near its expected position, by matched filter.

    Args:
        audio: int16, shape (n,).
        expected: The expected position of its first sample.

    Returns:
        The position of its first sample; None when there is no beep within half a second.

    >>> audio = np.zeros(40_000, np.int16)
    >>> audio[12_345:12_345 + 2400] = beep()
    >>> locate(audio, 12_000), locate(audio, 30_000)
    (12345, None)
    """
    template = beep()
    margin = round(SEARCH_S * SAMPLE_RATE_HZ)
    begin = max(0, expected - margin)
    window = audio[begin : expected + margin + len(template)].astype(np.float32)
    if len(window) < len(template):
        return None
    size = 1 << (len(window) + len(template) - 1).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(template, size))
    correlation = np.fft.irfft(spectrum, size)[: len(window) - len(template) + 1]
    energy = np.cumsum(np.concatenate([[0.0], np.square(window, dtype=np.float64)]))
    local = energy[len(template) :] - energy[: -len(template)]
    score = correlation / np.sqrt(np.maximum(local, 1.0) * float(np.sum(template**2)))
    best = int(np.argmax(score))
    return begin + best if score[best] >= MIN_SCORE else None

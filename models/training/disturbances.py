"""Sounds that are not speech: noise, mains hum, key clicks, marker beeps.

Samples are float32 at 16 kHz. Functions that make a continuous sound return it at a
root mean square of 1; clicks and beeps have peaks near 1.
"""

import numpy as np
from numpy.typing import NDArray

from corpora.synthesis.utterances import RATE_HZ

Random = np.random.Generator
Samples = NDArray[np.float32]


def _unit_rms(wave: Samples) -> Samples:
    return wave / np.float32(np.sqrt(np.mean(wave**2)))


def white_noise(random: Random, count: int) -> Samples:
    """Gaussian noise with a flat spectrum."""
    return random.standard_normal(count, np.float32)


def coloured_noise(random: Random, count: int) -> Samples:
    """Gaussian noise whose power falls as frequency to a power between 0 and 2 (brown)."""
    spectrum = np.fft.rfft(white_noise(random, count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
    spectrum *= hertz ** (-random.uniform(0, 1))
    return _unit_rms(np.fft.irfft(spectrum, count).astype(np.float32))


def hum(random: Random, count: int) -> Samples:
    """Mains hum: 50 or 60 Hz and its harmonics."""
    time_s = np.arange(count, dtype=np.float32) / RATE_HZ
    base_hz = float(random.choice((50.0, 60.0))) * random.uniform(0.998, 1.002)
    wave = np.zeros(count, np.float32)
    for harmonic in range(1, int(random.integers(2, 12))):
        phase = random.uniform(0, 2 * np.pi)
        wave += (
            random.uniform(0, 1)
            / harmonic
            * np.sin(2 * np.pi * harmonic * base_hz * time_s + phase, dtype=np.float32)
        )
    return _unit_rms(wave + 1e-6)


def clicks(random: Random, count: int) -> Samples:
    """Key strokes: bursts of 2 to 15 ms that die away, some of them ringing."""
    wave = np.zeros(count, np.float32)
    for _ in range(1 + random.poisson(random.uniform(1, 8) * count / RATE_HZ)):
        length = int(random.uniform(0.002, 0.015) * RATE_HZ)
        burst = white_noise(random, length) * 0.4
        if random.random() < 0.5:
            burst += np.sin(2 * np.pi * random.uniform(300, 5000) / RATE_HZ * np.arange(length))
        burst *= np.exp(-np.arange(length) * (6 / length)) * random.uniform(0.2, 1)
        place = int(random.integers(0, count))
        room = min(length, count - place)
        wave[place : place + room] += burst[:room]
    return wave


def beep(random: Random) -> Samples:
    """A pure tone of 50 to 300 ms between 400 and 2500 Hz, with soft edges."""
    length = int(random.uniform(0.05, 0.3) * RATE_HZ)
    tone = np.sin(2 * np.pi * random.uniform(400, 2500) / RATE_HZ * np.arange(length))
    edge = int(random.uniform(0.001, 0.01) * RATE_HZ)
    ramp = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)) / edge
    faded: Samples = (tone * np.minimum(ramp, 1)).astype(np.float32)
    return faded


def speech_rms(samples: Samples) -> float:
    """Level of the speech in a window, pauses left out; 0 without speech."""
    level = np.abs(samples)
    active = samples[level > 0.02 * level.max()] if level.any() else samples[:0]
    return float(np.sqrt(np.mean(active**2))) if len(active) else 0.0


def disturb(random: Random, samples: Samples) -> Samples:
    """Set the level of a window, and add sounds that are not speech to about three in four.

    Args:
        random: Where the choices come from.
        samples: float32, shape (n,); the peak of speech is about 1. All zero means no speech: such
            windows are disturbed more often, because "silence" with sound in it is what a
            recogniser must learn to leave empty.

    Returns:
        A new array, peak of the speech between -30 and 0 dBFS; noise and hum 10 to 45 dB below the
        speech, clicks and beeps between 30 dB below its peak and a little above it.
    """
    count = len(samples)
    rms = speech_rms(samples)
    eager = 1.0 if rms else 1.5
    rms = rms or 10 ** random.uniform(-2, -0.5)
    result = samples.copy()

    def gain(quietest_db: float, loudest_db: float) -> np.float32:
        return np.float32(rms * 10 ** (random.uniform(quietest_db, loudest_db) / 20))

    if random.random() < 0.55 * eager:
        make = white_noise if random.random() < 0.5 else coloured_noise
        result += make(random, count) * gain(-45, -10)
    if random.random() < 0.15 * eager:
        result += hum(random, count) * gain(-45, -10)
    if random.random() < 0.2 * eager:
        result += clicks(random, count) * gain(-20, 12)
    if random.random() < 0.25 * eager:
        for _ in range(int(random.integers(1, 4))):
            tone = beep(random)[:count]
            place = int(random.integers(0, count - len(tone) + 1))
            result[place : place + len(tone)] += tone * gain(-15, 12)
    return result * np.float32(10 ** random.uniform(-1.5, 0))

"""Generates background sounds of a room: noise, mains hum, typing and breathing.

Levels are those of a quiet office recorded by a laptop's microphone, in dB of full scale: room
noise at -58 (RMS), mains hum at -62 (RMS), key strokes with peaks of -30, breaths with peaks of
about -42. Speech in the embedded corpus peaks at -12.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ, Samples
from harness.specs.scenario import Ambience


def ambient(kinds: tuple[Ambience, ...], length: int, generator: np.random.Generator) -> Samples:
    """Generate and mix background sounds.

    Args:
        kinds: The kinds of sounds.
        length: In samples at 16 kHz.
        generator: The same one makes the same samples.

    Returns:
        float32, shape (length,), in units of a 16-bit sample.

    >>> sound = ambient((Ambience.HUM,), SAMPLE_RATE_HZ, np.random.default_rng(1))
    >>> round(20 * np.log10(np.sqrt(np.mean(sound**2)) / FULL_SCALE))
    -62
    """
    total = np.zeros(length, np.float32)
    for kind in kinds:
        total += np.float32(FULL_SCALE) * SOUNDS[kind](length, generator)
    return total


def _from_db(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _at_rms(sound: NDArray[np.floating], level_db: float) -> Samples:
    rms = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
    return np.asarray(sound * (_from_db(level_db) / rms), np.float32)


def _coloured(length: int, generator: np.random.Generator, power: float) -> Samples:
    """Generate noise whose amplitude falls with frequency to that power, from 20 Hz on."""
    spectrum = np.fft.rfft(generator.standard_normal(length, dtype=np.float32))
    frequencies = np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ)
    spectrum *= np.maximum(frequencies, 20.0) ** -power
    return np.fft.irfft(spectrum, length).astype(np.float32)


def _room(length: int, generator: np.random.Generator) -> Samples:
    return _at_rms(_coloured(length, generator, 0.5), -58)


def _hum(length: int, generator: np.random.Generator) -> Samples:
    times_s = np.arange(length) / SAMPLE_RATE_HZ
    sound = np.zeros(length)
    for harmonic, strength in enumerate((1.0, 0.4, 0.5, 0.15, 0.25), 1):
        phase = generator.uniform(0, 2 * np.pi)
        sound += strength * np.sin(2 * np.pi * 50 * harmonic * times_s + phase)
    return _at_rms(sound, -62)


def _typing(length: int, generator: np.random.Generator) -> Samples:
    """Generate bursts of 5 to 30 key strokes, 2 to 15 s apart: a click and a release each."""
    sound = np.zeros(length, np.float32)
    at_s = generator.uniform(0, 5)
    while at_s * SAMPLE_RATE_HZ < length:
        for _ in range(generator.integers(5, 30)):
            for delay_s, level_db, decay_s in ((0.0, -30, 0.004), (0.08, -36, 0.008)):
                level = _from_db(level_db + generator.normal(0, 2))
                begin = round((at_s + delay_s) * SAMPLE_RATE_HZ)
                mix_into(sound, begin, level * _click(generator, decay_s))
            at_s += generator.uniform(0.09, 0.3)
        at_s += generator.uniform(2, 15)
    return sound


def _click(generator: np.random.Generator, decay_s: float) -> Samples:
    times_s = np.arange(round(6 * decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    click = generator.standard_normal(len(times_s)) * np.exp(-times_s / decay_s)
    return np.asarray(click / np.abs(click).max(), np.float32)


def _breath(length: int, generator: np.random.Generator) -> Samples:
    """Generate breaths of 0.5 to 1.1 s, 3 to 5 s apart, faded in and out."""
    sound = np.zeros(length, np.float32)
    at_s = generator.uniform(0, 3)
    while at_s * SAMPLE_RATE_HZ < length:
        count = round(generator.uniform(0.5, 1.1) * SAMPLE_RATE_HZ)
        breath = _coloured(count, generator, 0.3) * np.hanning(count)
        level = _from_db(-42 + generator.normal(0, 3))
        breath = (level / np.abs(breath).max() * breath).astype(np.float32)
        mix_into(sound, round(at_s * SAMPLE_RATE_HZ), breath)
        at_s += generator.uniform(3, 5)
    return sound


def mix_into(audio: Samples, begin: int, samples: Samples) -> None:
    """Add samples to audio in place, from a position on; those beyond its end are dropped."""
    part = audio[begin : begin + len(samples)]
    part += samples[: len(part)]


SOUNDS: dict[Ambience, Callable[[int, np.random.Generator], Samples]] = {
    Ambience.ROOM: _room,
    Ambience.HUM: _hum,
    Ambience.TYPING: _typing,
    Ambience.BREATH: _breath,
}

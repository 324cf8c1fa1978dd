"""One spoken utterance: 16 kHz samples, and where each word begins and ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from corpora.synthesis.espeak import Espeak

RATE_HZ = 16_000
PEAK = 16_384
"""Unless told otherwise, an utterance is scaled to this peak: half of full scale."""

_LOUD = 0.02  # of the peak; what is softer at either end is trimmed
_MARGIN = 80  # samples kept around what is loud


@dataclass(frozen=True)
class Utterance:
    """Speech with its words.

    Attributes:
        samples: Mono int16, shape (n,), at 16 kHz; begins and ends with speech.
        words: The words spoken.
        starts: int64, shape (words,): first sample of each word. A word ends where the next one
            begins, and the last one with the utterance: espeak-ng makes no pause inside a clause.
        voice: The espeak-ng voice.
    """

    samples: NDArray[np.int16]
    words: tuple[str, ...]
    starts: NDArray[np.int64]
    voice: str

    @property
    def ends(self) -> NDArray[np.int64]:
        """One past the last sample of each word, int64, shape (words,)."""
        return np.append(self.starts[1:], len(self.samples))


@dataclass(frozen=True)
class Delivery:
    """How an utterance is spoken; the units are those of `Espeak.say`.

    `shift` plays the voice faster and higher (above 1) or slower and lower, formants included:
    another vocal tract, so to speak.
    """

    words_per_minute: int
    pitch: int
    pitch_range: int
    shift: float = 1.0


def draw_delivery(random: np.random.Generator) -> Delivery:
    """Draw a rate, pitch and liveliness in the range that people use; no shift."""
    return Delivery(
        int(random.integers(120, 221)), int(random.integers(25, 76)), int(random.integers(20, 81))
    )


def speak(
    espeak: Espeak, words: Sequence[str], voice: str, delivery: Delivery, peak: int = PEAK
) -> Utterance | None:
    """Speak words as one utterance.

    Returns:
        None where espeak's dictionary joins two of the words to a phrase ("on the", "no one"):
        such speech has no event, hence no time, for the second word.

    Raises:
        SynthesisError: See `Espeak.say`.
    """
    speech = espeak.say(
        " ".join(words),
        voice,
        words_per_minute=delivery.words_per_minute,
        pitch=delivery.pitch,
        pitch_range=delivery.pitch_range,
    )
    if len(speech.word_starts) != len(words):
        return None
    # Reading the samples as if they came at a higher rate is what raises pitch and formants.
    rate_hz = espeak.rate_hz * delivery.shift
    wave = soxr.resample(speech.samples.astype(np.float64), rate_hz, RATE_HZ)
    starts = np.rint(speech.word_starts * (RATE_HZ / rate_hz)).astype(np.int64)
    level = np.abs(wave)
    loud = np.flatnonzero(level > _LOUD * level.max())
    first, last = max(0, int(loud[0]) - _MARGIN), min(len(wave), int(loud[-1]) + _MARGIN)
    starts = np.clip(starts, first, last) - first
    starts[0] = 0
    samples = np.rint(wave[first:last] * (peak / level.max())).astype(np.int16)
    return Utterance(samples, tuple(words), starts, voice)

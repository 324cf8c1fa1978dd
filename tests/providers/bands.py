"""Speech with a known truth for models that look at spectra: each word is noise in a band.

Miniature models that know these words are made here, with the graphs' interfaces of real ones:
`sherpa_model` and `parakeet_model`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.timeline.corpus import CorpusUtterance
from tests.providers.signals import noise, samples_of

BANDS_HZ = {"ah": (200, 600), "bee": (700, 1200), "cee": (1400, 2200), "dee": (2500, 3600)}
PIECES = ("<blk>", *(f"\u2581{word}" for word in BANDS_HZ))
WORD_S, GAP_S = 0.3, 0.2


def say(words: Sequence[str], before_s: float = 0.5, after_s: float = 1.0) -> Samples:
    """Words with short gaps, between stretches of faint noise."""
    parts = [np.zeros(samples_of(before_s), np.float32)]
    for number, word in enumerate(words):
        spectrum = np.fft.rfft(noise(samples_of(WORD_S), 0.0, seed=number))
        at_hz = np.fft.rfftfreq(samples_of(WORD_S), 1 / SAMPLE_RATE_HZ)
        low_hz, high_hz = BANDS_HZ[word]
        spectrum[(at_hz < low_hz) | (at_hz > high_hz)] = 0
        band = np.fft.irfft(spectrum, samples_of(WORD_S))
        parts += [0.1 * band / np.std(band), np.zeros(samples_of(GAP_S), np.float32)]
    audio = np.concatenate([*parts, np.zeros(samples_of(after_s), np.float32)]).astype(np.float32)
    return audio + noise(len(audio), -75)


def hear_bands(centres_hz: Sequence[float]) -> Samples:
    """Weights that turn the levels of mel bands into how much louder each word's band is.

    Returns:
        float32, shape (words, bands).
    """
    centres = np.array(centres_hz)
    rows = [(centres > low_hz) & (centres < high_hz) for low_hz, high_hz in BANDS_HZ.values()]
    return np.array([row / row.sum() - 1 / len(row) for row in rows], np.float32)


def kaldi_centres_hz(count: int = 80) -> list[float]:
    """Of the bands in Kaldi's features, which sherpa-onnx computes."""
    low, high = (1127 * np.log(1 + hz / 700) for hz in (20, 7600))
    mels = np.linspace(low, high, count + 2)[1:-1]
    return [float(hz) for hz in 700 * (np.exp(mels / 1127) - 1)]


def slaney_centres_hz(count: int = 128) -> list[float]:
    """Of the bands in NeMo's features, which onnx-asr computes: linear up to 1 kHz, then not."""
    step = np.log(6.4) / 27
    mels = np.linspace(0, 15 + np.log(8) / step, count + 2)[1:-1]
    return [float(m * 200 / 3 if m < 15 else 1000 * np.exp(step * (m - 15))) for m in mels]


def write_pieces(path: Path) -> None:
    lines = [f"{piece} {number}\n" for number, piece in enumerate(PIECES)]
    path.write_text("".join(lines), encoding="utf-8")


def entry(*words: str) -> CorpusUtterance:
    """An utterance with its transcript."""
    audio = to_pcm16(say(words, before_s=0.1, after_s=0.0))
    duration_s = len(audio) / SAMPLE_RATE_HZ
    return CorpusUtterance("-".join(words), " ".join(words), duration_s, None, lambda: audio)


SPEECH = [entry("ah", "bee"), entry("cee", "dee", "ah"), entry("bee", "dee")]

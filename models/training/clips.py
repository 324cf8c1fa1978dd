"""The clips that the model is judged on, with what should be heard in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.synthesis.utterances import PEAK, RATE_HZ, Utterance
from models.training.disturbances import (
    Random,
    Samples,
    beep,
    clicks,
    coloured_noise,
    hum,
    speech_rms,
    white_noise,
)
from models.training.engines import TimedWord

_BACKGROUND = 1e-4  # root mean square of the noise in a "clean" clip: no recording has none
_LEVEL = 0.5


@dataclass(frozen=True)
class Clip:
    """Sound and its reference.

    Attributes:
        samples: float32, shape (n,), 16 kHz.
        words: The words wholly inside.
        cut: The words that the clip's start and end cut, "" where there is none: an engine may
            write them or not.
    """

    samples: Samples
    words: list[TimedWord]
    cut: tuple[str, str] = ("", "")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE_HZ


def _words(utterance: Utterance, start_s: float) -> list[TimedWord]:
    times = zip(utterance.words, utterance.starts, utterance.ends, strict=True)
    return [
        TimedWord(word, start_s + int(start) / RATE_HZ, start_s + int(end) / RATE_HZ)
        for word, start, end in times
    ]


def _silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def _wave(utterance: Utterance) -> Samples:
    samples = utterance.samples.astype(np.float32)
    return samples * np.float32(_LEVEL / np.abs(samples).max())


def with_noise(random: Random, samples: Samples, noise_db: float | None) -> Samples:
    """Add white noise `noise_db` below the speech, or a trace of it for None."""
    rms = _BACKGROUND if noise_db is None else speech_rms(samples) * 10 ** (-noise_db / 20)
    return samples + white_noise(random, len(samples)) * np.float32(rms)


def sentences(
    random: Random, utterances: Sequence[Utterance], noise_db: float | None, level: float = 1.0
) -> list[Clip]:
    """One clip an utterance: 0.1 to 0.9 s of silence, the utterance, 0.4 s of silence."""
    clips = []
    for utterance in utterances:
        lead = _silence(random.uniform(0.1, 0.9))
        samples = np.concatenate([lead, _wave(utterance), _silence(0.4)])
        noisy = with_noise(random, samples, noise_db) * np.float32(level)
        clips.append(Clip(noisy, _words(utterance, len(lead) / RATE_HZ)))
    return clips


def stream(random: Random, utterances: Sequence[Utterance], noise_db: float) -> Clip:
    """One long clip: utterances with pauses of 0.2 to 1.2 s, over noise."""
    parts, words, place_s = list[Samples](), list[TimedWord](), 0.0
    for utterance in utterances:
        pause, wave = _silence(random.uniform(0.2, 1.2)), _wave(utterance)
        words += _words(utterance, place_s + len(pause) / RATE_HZ)
        parts += [pause, wave]
        place_s += (len(pause) + len(wave)) / RATE_HZ
    return Clip(with_noise(random, np.concatenate(parts), noise_db), words)


def windows(whole: Clip, window_s: float) -> list[Clip]:
    """Cut a clip blindly into windows of `window_s`; the rest at its end is dropped."""
    size, clips = int(window_s * RATE_HZ), []
    for first in range(0, len(whole.samples) - size + 1, size):
        begin_s, end_s = first / RATE_HZ, (first + size) / RATE_HZ
        touching = [word for word in whole.words if word.end_s > begin_s and word.start_s < end_s]
        inside = [word for word in touching if begin_s <= word.start_s and word.end_s <= end_s]
        cut = (
            next((word.text for word in touching if word.start_s < begin_s), ""),
            next((word.text for word in touching if word.end_s > end_s), ""),
        )
        moved = [TimedWord(text, s - begin_s, e - begin_s) for text, s, e in inside]
        clips.append(Clip(whole.samples[first : first + size], moved, cut))
    return clips


def silences(random: Random) -> list[Clip]:
    """Forty clips of 2 to 12 s without speech: silence, noises, hum, clicks, beeps."""
    clips = []
    for seconds in (2.0, 4.0, 8.0, 12.0):
        count = int(seconds * RATE_HZ)
        with_beep = _silence(seconds)
        tone = beep(random)
        with_beep[count // 3 : count // 3 + len(tone)] = tone * np.float32(0.3)
        typing = clicks(random, count) * np.float32(0.3)
        typing += white_noise(random, count) * np.float32(1e-3)
        sounds = [_silence(seconds), with_beep, typing]
        sounds += [white_noise(random, count) * np.float32(level) for level in (1e-3, 1e-2, 0.1)]
        sounds += [coloured_noise(random, count) * np.float32(level) for level in (1e-2, 0.1)]
        sounds += [hum(random, count) * np.float32(level) for level in (1e-2, 0.1)]
        clips += [Clip(samples, []) for samples in sounds]
    return clips


def from_corpus(samples: Samples, words: Sequence[tuple[str, float, float]]) -> Utterance:
    """Make an utterance of what a corpus holds: samples in [-1, 1], and words with seconds."""
    return Utterance(
        np.rint(samples * PEAK).astype(np.int16),
        tuple(word for word, _, _ in words),
        np.array([round(start_s * RATE_HZ) for _, start_s, _ in words], np.int64),
        voice="",
    )

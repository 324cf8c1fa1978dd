"""An engine with a known truth: it hears tones, and each of a few pitches is a word to it."""

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.contract import ASRSegment, AudioSource, SessionConfig, Word
from providers.policies.segmenter import Limits
from providers.policies.windowed import WindowedProvider
from tests.providers.signals import cut, noise, samples_of, tone

PITCHES_HZ = {"ah": 400.0, "bee": 700.0, "cee": 1100.0, "dee": 1700.0, "ee": 2600.0}
WORD_S, GAP_S = 0.3, 0.1
HOP = SAMPLE_RATE_HZ // 100


class ToneEngine(WindowedProvider):
    """Finds words exactly where they are."""

    name = "tones"
    limits = Limits(longest_s=4.0)

    def load(self, config: SessionConfig) -> None:
        self.loads = getattr(self, "loads", 0) + 1

    def unload(self) -> None:
        self.loads = 0

    def locate_model(self, model: str) -> Path | None:
        return None

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        self.on_decode(samples, is_final)
        return words_in(samples)

    def on_decode(self, samples: Samples, is_final: bool) -> None:
        """A test puts its own in the way here, to be slow or to fail."""


def words_in(samples: Samples) -> list[Word]:
    """Read the words off: the loudest pitch of each 10 ms, where there is one."""
    frames = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    angles = 2j * np.pi * np.outer(np.arange(HOP) / SAMPLE_RATE_HZ, list(PITCHES_HZ.values()))
    strength = np.abs(frames @ np.exp(angles)) / HOP
    heard = np.where(strength.max(axis=1, initial=0) > 0.02, strength.argmax(axis=1), -1)
    edges = [0, *(np.flatnonzero(np.diff(heard)) + 1).tolist(), len(heard)]
    names = list(PITCHES_HZ)
    return [
        Word(names[heard[begin]], begin / 100, end / 100)
        for begin, end in pairwise(edges)
        if end - begin >= 8 and heard[begin] >= 0
    ]


def say(words: Sequence[str], before_s: float = 0.5, after_s: float = 0.8) -> Samples:
    """Tones for words, with short gaps, between stretches of faint noise."""
    spoken = np.zeros(0, np.float32)
    for word in words:
        gap = np.zeros(samples_of(GAP_S), np.float32)
        spoken = np.concatenate([spoken, tone(samples_of(WORD_S), PITCHES_HZ[word]), gap])
    silence_s = (before_s, after_s)
    before, after = (np.zeros(samples_of(length_s), np.float32) for length_s in silence_s)
    audio = np.concatenate([before, spoken, after])
    return audio + noise(len(audio), -75)


async def pcm_of(
    samples: Samples, sizes: Sequence[int] = (SAMPLE_RATE_HZ // 2,)
) -> AsyncIterator[bytes]:
    for piece in cut(samples, sizes):
        yield to_pcm16(piece).tobytes()


async def listen(
    engine: WindowedProvider,
    samples: Samples,
    sizes: Sequence[int] = (SAMPLE_RATE_HZ // 2,),
    source: AudioSource | None = None,
) -> list[ASRSegment]:
    stream = engine.transcribe_stream(pcm_of(samples, sizes), source=source)
    return [segment async for segment in stream]


async def collect(stream: AsyncIterator[ASRSegment], said: list[ASRSegment]) -> None:
    """Listen to the end; what was said before an error stays in the list."""
    async for segment in stream:
        said.append(segment)  # noqa: PERF401

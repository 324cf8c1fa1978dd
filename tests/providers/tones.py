"""An engine with a known truth: it hears tones, and each of a few pitches is a word to it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource, SessionConfig, Word
from harness.timeline.corpus import CorpusUtterance
from providers.streaming.base import StreamingProvider
from providers.streaming.segmenter import Limits
from providers.streaming.windowed import WindowedProvider
from tests.providers.signals import cut, noise, samples_of, tone

T = TypeVar("T")
PITCHES_HZ = {"ah": 400.0, "bee": 700.0, "cee": 1100.0, "dee": 1700.0, "ee": 2600.0}
WORD_S, GAP_S = 0.3, 0.1
HOP = SAMPLE_RATE_HZ // 100
_ANGLES = 2 * np.pi * np.outer(np.arange(HOP) / SAMPLE_RATE_HZ, list(PITCHES_HZ.values()))
WAVES = np.hstack([np.cos(_ANGLES), np.sin(_ANGLES)]).astype(np.float32) / HOP
"""A cosine and a sine of each pitch."""


class Engine(StreamingProvider):
    """What the engines for tones share, however they stream."""

    name = "tones"

    def load(self, config: SessionConfig) -> None:
        self.loads = getattr(self, "loads", 0) + 1

    def unload(self) -> None:
        self.loads = 0

    def locate_model(self, model: str) -> Path | None:
        return None

    def on_decode(self, samples: Samples, is_final: bool) -> None:
        """A test puts its own in the way here, to be slow or to fail."""


class ToneEngine(Engine, WindowedProvider):
    """Finds words exactly where they are."""

    limits = Limits(longest_s=4.0)

    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        self.on_decode(samples, is_final)
        return words_in(samples)


def words_in(samples: Samples) -> list[Word]:
    """Read the words off: the loudest pitch of each 10 ms, where there is one."""
    frames = samples[: len(samples) // HOP * HOP].reshape(-1, HOP)
    waves = frames @ WAVES
    strength = np.hypot(waves[:, : len(PITCHES_HZ)], waves[:, len(PITCHES_HZ) :])
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


def entry(*words: str) -> CorpusUtterance:
    """An utterance with its transcript."""
    audio = to_pcm16(say(words, before_s=0.1, after_s=0.1))
    duration_s = len(audio) / SAMPLE_RATE_HZ
    return CorpusUtterance("-".join(words), " ".join(words), duration_s, None, lambda: audio)


async def pcm_of(
    samples: Samples, sizes: Sequence[int] = (SAMPLE_RATE_HZ // 2,)
) -> AsyncIterator[bytes]:
    for piece in cut(samples, sizes):
        yield to_pcm16(piece).tobytes()


async def live(samples: Samples, chunk_s: float = 0.5) -> AsyncIterator[bytes]:
    """Each chunk when it has been captured."""
    async for chunk in pcm_of(samples, [samples_of(chunk_s)]):
        await asyncio.sleep(len(chunk) / 2 / SAMPLE_RATE_HZ)
        yield chunk


async def listen(
    engine: StreamingProvider,
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


def in_session(
    body: "Coroutine[Any, Any, T]", engine: StreamingProvider, clock: ClockKind = ClockKind.VIRTUAL
) -> T:
    """Run something in a session of the engine, and close it."""

    async def with_engine() -> T:
        assert await engine.start_session("test", SessionConfig(model="tones"))
        try:
            return await body
        finally:
            if engine._session is not None:
                await engine.stop_session("test")
            await engine.close()

    return run(with_engine(), clock)


def finals(segments: list[ASRSegment]) -> list[ASRSegment]:
    return [segment for segment in segments if segment.is_final]


def text_of(segments: list[ASRSegment]) -> list[str]:
    return " ".join(segment.text for segment in finals(segments)).split()

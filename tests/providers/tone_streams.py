"""The engine of `tones`, as one that streams by itself: in each of the ways in which such do."""

import asyncio
from dataclasses import dataclass

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import Word
from providers.streaming.feedthrough import (
    EngineStream,
    EngineText,
    FeedThroughProvider,
    FeedThroughStream,
)
from providers.streaming.segmenter import Limits
from tests.providers.tones import Engine, words_in

PAUSE_S = 0.4


@dataclass(frozen=True)
class Habits:
    """How an engine behaves."""

    finds_ends: bool = False
    """Finds the ends of utterances by itself."""
    late_s: tuple[float, ...] = ()
    """Answers that much later, by turns, and not while it is fed; else at once."""


class ToneFeed(Engine, FeedThroughProvider):
    """Hears the same as `ToneEngine`, in what it is fed."""

    def __init__(self, habits: Habits | None = None) -> None:
        super().__init__()
        self.habits = habits or Habits()
        self.limits = None if self.habits.finds_ends else Limits(longest_s=8.0)
        self.open: list[ToneStream] = []
        self.closed = 0

    async def open_engine(self, listener: FeedThroughStream) -> EngineStream:
        stream = (
            LateToneStream(self, listener) if self.habits.late_s else ToneStream(self, listener)
        )
        self.open.append(stream)
        return stream


class ToneStream(EngineStream):
    """Hears all of the open utterance anew at each feed; slow, but simple."""

    def __init__(self, provider: ToneFeed, listener: FeedThroughStream) -> None:
        self.provider, self.listener = provider, listener
        self.fed = 0
        self._samples = np.zeros(0, np.float32)
        self._begin_s = 0.0  # of those samples, where the engine finds utterances
        self._number = 0

    async def feed(self, samples: Samples) -> None:
        self.fed += len(samples)
        self._samples = np.concatenate([self._samples, samples])
        words = await self._words(is_final=False)
        silence_s = len(self._samples) / SAMPLE_RATE_HZ - (words[-1].t1 if words else 0.0)
        if words and self.provider.habits.finds_ends and silence_s >= PAUSE_S:
            self._end(words)
        elif words:
            self.tell(self._heard(words, is_final=False))
        self.done(len(samples))

    async def end_utterance(self) -> None:
        self._end(await self._words(is_final=True))

    async def flush(self) -> None:
        if self.provider.habits.finds_ends and len(self._samples):
            words = await self._words(is_final=True)
            if words:
                self._end(words)

    async def close(self) -> None:
        self.provider.open.remove(self)
        self.provider.closed += 1

    def tell(self, heard: EngineText) -> None:
        self.listener.on_text(heard)

    def done(self, samples: int) -> None:
        """Know that samples were recognised."""

    async def _words(self, *, is_final: bool) -> list[Word]:
        provider, samples = self.provider, self._samples

        def decode() -> list[Word]:
            provider.on_decode(samples, is_final)
            return words_in(samples)

        session, source = self.listener.session, self.listener.source
        return await provider.infer(session, source, len(samples) / SAMPLE_RATE_HZ, decode)

    def _end(self, words: list[Word]) -> None:
        self.tell(self._heard(words, is_final=True))
        self._begin_s += len(self._samples) / SAMPLE_RATE_HZ
        self._samples = np.zeros(0, np.float32)
        self._number += 1

    def _heard(self, words: list[Word], *, is_final: bool) -> EngineText:
        at_s = self._begin_s if self.provider.habits.finds_ends else 0.0
        placed = [Word(word.text, word.t0 + at_s, word.t1 + at_s) for word in words]
        text = " ".join(word.text for word in words)
        return EngineText(text, is_final, placed, utterance=self._number)


class LateToneStream(ToneStream):
    """Answers when it likes, as a server does, and says itself what it has recognised."""

    confirms = True

    def __init__(self, provider: ToneFeed, listener: FeedThroughStream) -> None:
        super().__init__(provider, listener)
        self._answers: set[asyncio.Task[None]] = set()

    async def flush(self) -> None:
        await super().flush()
        await asyncio.gather(*self._answers)

    async def close(self) -> None:
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await super().close()

    def tell(self, heard: EngineText) -> None:
        self._later(heard, 0)

    def done(self, samples: int) -> None:
        self._later(None, samples)

    def _later(self, heard: EngineText | None, samples: int) -> None:
        answer = asyncio.create_task(self._answer(heard, samples, self._number))
        self._answers.add(answer)
        answer.add_done_callback(self._answers.discard)

    async def _answer(self, heard: EngineText | None, samples: int, number: int) -> None:
        late_s = self.provider.habits.late_s
        await asyncio.sleep(late_s[number % len(late_s)])
        if heard is not None:
            self.listener.on_text(heard)
        self.listener.confirm(samples)

"""Streaming with an engine that streams by itself: it is fed, and says what it heard when it knows.

Such an engine may run in this process, in a child process or behind a network. It may find the ends
of utterances by itself; for one that doesn't, they are found here by energy, and silence between
them is never fed, only counted. What it says about a later utterance waits until the earlier ones
have their finals, since segments go out in order.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioSource, Word
from harness.errors import ProviderError
from harness.provider.resident import Session
from providers.streaming.base import Stream, StreamingProvider
from providers.streaming.segmenter import Limits, Segmenter, Window
from providers.streaming.segments import placed

MAX_UNCONFIRMED_S = 30.0
"""Of audio that an engine was fed and hasn't recognised; longer than any utterance. A network takes
whatever it is given, and the source has to know that it is ahead."""


@dataclass(frozen=True)
class EngineText:
    """What an engine says about one utterance: all of it, not what is new.

    Times are seconds of audio. They count from the utterance's beginning where utterances are
    found here, and from the first sample that the engine was fed where it finds them by itself.
    """

    text: str
    is_final: bool = False
    words: Sequence[Word] = ()
    span_s: tuple[float, float] | None = None
    """Where the utterance lies, for engines that know that and no word times."""
    utterance: int | None = None
    """Which one, counted from 0 since the stream's beginning; the oldest without a final if None.
    For engines whose answers come out of order."""


class EngineStream(ABC):
    """An engine's side of one stream of one source; `listener.on_text` takes what it says.

    It may say something inside these calls or at any other time, on the loop's thread. Errors that
    come up outside of a call go to `listener.fail`. Every utterance gets a final, which may be
    empty.
    """

    confirms: ClassVar[bool] = False
    """Whether it calls `listener.confirm` when samples have been recognised. Otherwise they count
    as that when `feed` returns. What is fed may run ahead of that by `MAX_UNCONFIRMED_S`."""

    @abstractmethod
    async def feed(self, samples: Samples) -> None:
        """Take audio: float32, shape (n,), n > 0, 16 kHz; wait while there is no room for it."""

    async def end_utterance(self) -> None:
        """Be told that the utterance is over; its final needn't have been said on return."""
        await self.flush()

    @abstractmethod
    async def flush(self) -> None:
        """Say all finals that are due, if any; on return they are said, and audio may follow."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of everything within seconds, also in the middle of a call that was cancelled.

        On return nothing is said any more.
        """


class FeedThroughProvider(StreamingProvider):
    """A subclass says how to `load` its engine and how to `open_engine` for a stream."""

    limits: Limits | None = Limits()
    """Where utterances end; None for an engine that finds out by itself."""

    @abstractmethod
    async def open_engine(self, listener: "FeedThroughStream") -> EngineStream:
        """Get the engine ready for a stream of `listener.source` in `listener.session`.

        It may be cancelled, and then has to tidy up after itself.
        """

    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        """See `StreamingProvider`."""
        return FeedThroughStream(self, session, source)


@dataclass
class Utterance:
    """A stretch of speech that has no final yet; times are seconds since the session's start."""

    begin_s: float
    end_s: float | None = None
    """None while it goes on."""
    news: EngineText | None = None
    """What the engine said about it and hasn't gone out."""


class FeedThroughStream(Stream):
    """Feeds one source to its engine, and puts what the engine says in order."""

    def __init__(
        self, provider: FeedThroughProvider, session: Session, source: AudioSource | None
    ) -> None:
        super().__init__(session, source)
        self._provider = provider
        self._engine: EngineStream | None = None
        limits = provider.limits
        self._segmenter = Segmenter(limits, self.account, in_order=True) if limits else None
        self._utterances: deque[Utterance] = deque()
        self._finals = 0  # of this stream, so the number of the oldest utterance
        self._next_id = 0
        self._opened_s = 0.0
        self._unconfirmed = 0
        self._confirmed = asyncio.Event()

    async def begin(self) -> None:
        """See `Stream`."""
        self._opened_s, self._finals, self._unconfirmed = self._received_s, 0, 0
        self._engine = await self._provider.open_engine(self)

    async def feed(self, samples: Samples) -> None:
        """See `Stream`."""
        if self._segmenter is None:
            self.account.received += len(samples)
            await self._feed(samples)
        else:
            for window in self._segmenter.push(samples):
                await self._feed_window(window)

    async def flush(self) -> None:
        """See `Stream`."""
        engine = self._running()
        if self._segmenter is not None:
            for window in self._segmenter.flush():
                await self._feed_window(window)
        await engine.flush()
        self.confirm(self._unconfirmed)
        if self._utterances:
            problem = f"{len(self._utterances)} utterances without a final after a flush"
            raise ProviderError(self._provider.describe(self.source), problem)

    async def abandon(self) -> None:
        """See `Stream`."""
        engine, self._engine = self._engine, None
        self._utterances.clear()
        if self._segmenter is not None:
            self._segmenter.abandon()
        if engine is not None:
            await engine.close()

    def on_text(self, heard: EngineText) -> None:
        """Take what the engine says; on the loop's thread."""
        if self._engine is None:
            return  # it talks on after the end
        if (utterance := self._utterance(heard.utterance)) is None:
            which = heard.utterance if heard.utterance is not None else "any"
            problem = f"the engine spoke of utterance {which}, which isn't open"
            self.fail(ProviderError(self._provider.describe(self.source), problem))
            return
        utterance.news = heard
        while self._utterances and (news := self._utterances[0].news) is not None:
            self._say(self._utterances[0], news)
            if not news.is_final:
                break
            self._utterances.popleft()
            self._finals += 1

    def confirm(self, samples: int) -> None:
        """Count samples as decoded; see `EngineStream.confirms`."""
        if self._engine is not None:
            samples = min(samples, self._unconfirmed)
            self._unconfirmed -= samples
            self.account.decoded += samples
            self._confirmed.set()

    def settle(self) -> None:
        """See `Stream`; also of the utterances that had to wait for this one."""
        super().settle()
        for utterance in self._utterances:
            if utterance.news is not None:
                self._say(utterance, replace(utterance.news, is_final=True))
        self._utterances.clear()

    @property
    def _received_s(self) -> float:
        return self.account.received / SAMPLE_RATE_HZ

    def _running(self) -> EngineStream:
        if self._engine is None:
            raise ProviderError(self._provider.describe(self.source), "the stream was ended")
        return self._engine

    async def _feed(self, samples: Samples) -> None:
        engine = self._running()
        while self._unconfirmed > MAX_UNCONFIRMED_S * SAMPLE_RATE_HZ:
            self._confirmed.clear()
            await self._confirmed.wait()
        self._unconfirmed += len(samples)
        await engine.feed(samples)
        if not engine.confirms:
            self.confirm(self._unconfirmed)

    async def _feed_window(self, window: Window) -> None:
        """Feed what is new in a window, and end the utterance where the window does."""
        if not self._utterances or self._utterances[-1].end_s is not None:
            self._utterances.append(Utterance(window.begin / SAMPLE_RATE_HZ))
        utterance = self._utterances[-1]
        if window.fresh:
            await self._feed(window.samples[-window.fresh :])
        if window.is_final:
            utterance.end_s = window.end / SAMPLE_RATE_HZ
            await self._running().end_utterance()

    def _utterance(self, number: int | None) -> Utterance | None:
        """The open utterance of that number; an engine that finds them may begin new ones."""
        at = 0 if number is None else number - self._finals
        while self._segmenter is None and at >= len(self._utterances):
            self._utterances.append(Utterance(self._opened_s))
        return self._utterances[at] if 0 <= at < len(self._utterances) else None

    def _say(self, utterance: Utterance, news: EngineText) -> None:
        """Say the news about the oldest utterance; one in which nothing was heard is no segment."""
        utterance.news = None
        before, text = self.captions.latest, news.text.strip()
        if before is None and not text:
            return
        segment_id = before.segment_id if before else self._next_id
        self._next_id = segment_id + 1
        begin_s = max(utterance.begin_s, self.captions.last_final_t1)
        end_s = self._received_s if utterance.end_s is None else utterance.end_s
        words = placed(news.words, utterance.begin_s, end_s, not_before_s=begin_s)
        span_s = begin_s, end_s
        if words:
            span_s = words[0].t0, words[-1].t1
        elif news.span_s is not None:
            t0, t1 = (min(utterance.begin_s + at_s, end_s) for at_s in news.span_s)
            span_s = t0, t1
        self.say(segment_id, text, span_s, is_final=news.is_final, words=words)

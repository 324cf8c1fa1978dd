"""Streams with an engine that streams by itself: audio is fed, text arrives at any time.

Such an engine may run in this process, in a child process or behind a network. If it doesn't detect
the ends of utterances, they are found here by energy, and silence between utterances is counted but
never fed. Text of a later utterance waits until the earlier ones have their finals, since segments
are emitted in order.
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
"""Limit of audio that was fed and isn't recognised yet; longer than any utterance. A network
accepts any amount, and backpressure has to reach the source."""


@dataclass(frozen=True)
class EngineText:
    """An engine's text of one utterance: all of it, not only what is new.

    Times are seconds of audio: from the utterance's beginning where utterances are found here, and
    from the first sample fed where the engine detects utterances.
    """

    text: str
    is_final: bool = False
    words: Sequence[Word] = ()
    span_s: tuple[float, float] | None = None
    """Begin and end of the utterance, for engines without word times."""
    utterance: int | None = None
    """Its number, counted from 0 since the stream's beginning, for engines whose answers arrive out
    of order; None means the oldest utterance without a final."""


class EngineStream(ABC):
    """An engine's part of one source's stream; it reports text to `listener.on_text`.

    It may report text within these calls or at any other time, on the loop's thread. Errors outside
    of a call are reported to `listener.fail`. Every utterance gets a final, which may be empty.
    """

    confirms: ClassVar[bool] = False
    """Whether it calls `listener.confirm` when samples have been recognised. Otherwise they count
    as recognised when `feed` returns. At most `MAX_UNCONFIRMED_S` may be unconfirmed."""

    @abstractmethod
    async def feed(self, samples: Samples) -> None:
        """Take audio: float32, shape (n,), n > 0, 16 kHz; wait while there is no room."""

    async def end_utterance(self) -> None:
        """Mark the end of the utterance; its final may be reported after the return."""
        await self.flush()

    @abstractmethod
    async def flush(self) -> None:
        """Report all outstanding finals before returning; more audio may follow."""

    @abstractmethod
    async def close(self) -> None:
        """Release all resources within seconds, also after a call was cancelled.

        No text is reported after the return.
        """


class FeedThroughProvider(StreamingProvider):
    """Base of providers whose engine streams; a subclass defines `load` and `open_engine`."""

    limits: Limits | None = Limits()
    """Where utterances end; None for an engine that detects it."""

    @abstractmethod
    async def open_engine(self, listener: "FeedThroughStream") -> EngineStream:
        """Prepare the engine for a stream of `listener.source` in `listener.session`.

        It may be cancelled, and then has to release what it acquired.
        """

    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        """See `StreamingProvider`."""
        return FeedThroughStream(self, session, source)


@dataclass
class Utterance:
    """An utterance without a final; times are seconds since the session's start."""

    begin_s: float
    end_s: float | None = None
    """None while it is open."""
    pending: EngineText | None = None
    """The engine's latest text, if it wasn't emitted yet."""


class FeedThroughStream(Stream):
    """Feeds one source to its engine, and emits the engine's texts in order."""

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

    def on_text(self, text: EngineText) -> None:
        """Take the engine's text; on the loop's thread."""
        if self._engine is None:
            return  # text after the stream's end
        if (utterance := self._utterance(text.utterance)) is None:
            which = text.utterance if text.utterance is not None else "any"
            problem = f"the engine sent text for utterance {which}, which isn't open"
            self.fail(ProviderError(self._provider.describe(self.source), problem))
            return
        utterance.pending = text
        while self._utterances and (pending := self._utterances[0].pending) is not None:
            self._emit(self._utterances[0], pending)
            if not pending.is_final:
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
        """See `Stream`; also settles the utterances that waited for this one."""
        super().settle()
        for utterance in self._utterances:
            if utterance.pending is not None:
                self._emit(utterance, replace(utterance.pending, is_final=True))
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
        """Feed the new samples of a window, and end the utterance if the window is final."""
        if not self._utterances or self._utterances[-1].end_s is not None:
            self._utterances.append(Utterance(window.begin / SAMPLE_RATE_HZ))
        utterance = self._utterances[-1]
        if window.new_samples:
            await self._feed(window.samples[-window.new_samples :])
        if window.is_final:
            utterance.end_s = window.end / SAMPLE_RATE_HZ
            await self._running().end_utterance()

    def _utterance(self, number: int | None) -> Utterance | None:
        """Return the open utterance `number`; the engine may begin new ones."""
        at = 0 if number is None else number - self._finals
        while self._segmenter is None and at >= len(self._utterances):
            self._utterances.append(Utterance(self._opened_s))
        return self._utterances[at] if 0 <= at < len(self._utterances) else None

    def _emit(self, utterance: Utterance, update: EngineText) -> None:
        """Emit a text of the oldest utterance; an utterance without text makes no segment."""
        utterance.pending = None
        before, text = self.captions.latest, update.text.strip()
        if before is None and not text:
            return
        segment_id = before.segment_id if before else self._next_id
        self._next_id = segment_id + 1
        begin_s = max(utterance.begin_s, self.captions.last_final_t1)
        end_s = self._received_s if utterance.end_s is None else utterance.end_s
        words = placed(update.words, utterance.begin_s, end_s, not_before_s=begin_s)
        span_s = begin_s, end_s
        if words:
            span_s = words[0].t0, words[-1].t1
        elif update.span_s is not None:
            t0, t1 = (min(utterance.begin_s + at_s, end_s) for at_s in update.span_s)
            span_s = t0, t1
        self.emit(segment_id, text, span_s, is_final=update.is_final, words=words)

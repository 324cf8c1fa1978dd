"""Bounded queue between capture and provider; the only place where chunks are dropped."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s
from harness.contract import AudioSource
from harness.journal.events import Backpressure, ChunkDone, ChunkTaken, Dropped, Event, Queued
from harness.session.chunking import Chunk
from harness.session.time_mapping import SourceTimeMap

HIGH_LEVEL = 0.5
"""Share of the capacity from which on backpressure is signalled."""
MAX_TALK = 10
"""How many times the silence limit a provider may emit text without taking audio."""

Tap = Callable[[AudioSource, Chunk], None]
"""Called with each chunk that the provider takes, before it gets the audio."""


def no_tap(source: AudioSource, chunk: Chunk) -> None:
    """Ignore the audio."""


class ChunkQueue:
    """Holds the chunks of one live source until the provider takes them.

    A live source can't wait, so a full queue drops its oldest chunk and emits that.

    Args:
        source: Whose audio it is.
        start_s: When the source's first sample was captured.
        origin_s: The trial's zero on the running clock.
        capacity_s: Seconds of audio that may wait behind the newest chunk.
        emit: Takes the events.
        rate_hz: Samples that the source captures per second of the clock.
        at_pause: Called when the provider has all audio before a pause and asks for more.
        tap: Called with each chunk that the provider takes.
    """

    def __init__(
        self,
        source: AudioSource,
        start_s: float,
        origin_s: float,
        capacity_s: float,
        emit: Callable[[Event], None],
        rate_hz: float = SAMPLE_RATE_HZ,
        at_pause: Callable[[], Awaitable[None]] | None = None,
        tap: Tap = no_tap,
    ) -> None:
        self.source = source
        self.time_map = SourceTimeMap()
        self.taken = self.handed_over = 0
        self.keep_every = 1
        """2 drops every other chunk, the ladder's action in an emergency."""
        self.drained = self.closed = False
        self.start_s, self._origin_s, self._emit = start_s, origin_s, emit
        self._capacity = max(1, round(capacity_s * SAMPLE_RATE_HZ))
        self._rate_hz, self._at_pause, self._tap = rate_hz, at_pause, tap
        self._chunks: deque[Chunk] = deque()
        self._pauses: set[int] = set()  # numbers of chunks that a pause comes after
        self._changed = asyncio.Event()
        self._ended = False
        self._pressed = False
        self._in_hand = False
        self._newest = -1
        self._put = 0
        self._moved_s = self._answered_s = origin_s

    @property
    def depth(self) -> int:
        """Number of waiting chunks."""
        return len(self._chunks)

    @property
    def waiting_s(self) -> float:
        """Seconds of waiting audio."""
        return sum(len(chunk.pcm) for chunk in self._chunks) / SAMPLE_RATE_HZ

    def at_s(self) -> float:
        """The current time on the session's clock."""
        return now_s() - self._origin_s

    def answered(self) -> None:
        """Note that the provider emitted text."""
        self._answered_s = now_s()

    def provider_changed(self) -> None:
        """Restart the stall clock for a provider that took over."""
        self._moved()

    def close(self) -> None:
        """Note that the provider's answer to this source is complete."""
        self.closed = True

    def stuck_for_s(self) -> float:
        """Seconds that the provider has had audio, or its end, without reacting.

        Emitting text counts as a reaction only for a limited time; then audio must be taken too.
        """
        if self.closed or not (self._chunks or self._in_hand or self._ended):
            return 0.0
        without_audio_s = now_s() - self._moved_s
        return min(without_audio_s, max(now_s() - self._answered_s, without_audio_s / MAX_TALK))

    def _moved(self) -> None:
        self._moved_s = now_s()

    def put(self, chunk: Chunk) -> None:
        """Append a chunk, and drop the oldest ones while the capacity is exceeded."""
        self._put += 1
        if self._put % self.keep_every:
            self._emit(self._queued(chunk, len(self._chunks) + 1))
            self._drop(chunk)
            return
        if not self._chunks and not self._in_hand:
            self._moved()
        self._chunks.append(chunk)
        while self._waiting() > self._capacity:
            self._drop(self._chunks.popleft())
        self._emit(self._queued(chunk, len(self._chunks)))
        self._signal()
        self._changed.set()
        self._newest = chunk.index

    def put_pause(self) -> None:
        """Mark a pause in the speech after the newest chunk."""
        self._pauses.add(self._newest)
        self._changed.set()

    def end(self) -> None:
        """Mark the end of the stream: no chunk follows."""
        self._moved()
        self._ended = True
        self._changed.set()

    async def pcm(self) -> AsyncIterator[bytes]:
        """The stream for the provider; a chunk is in hand until the next one is asked for."""
        last = -1
        while True:
            self._changed.clear()
            await self._pause_after(last)
            if not self._chunks:
                if self._ended and not self._changed.is_set():
                    self.drained = True
                    return
                await self._changed.wait()
                continue
            chunk = self._chunks.popleft()
            last = chunk.index
            depth = len(self._chunks)
            self._emit(
                ChunkTaken(source=self.source, chunk=chunk.index, at_s=self.at_s(), depth=depth)
            )
            self._signal()
            self.taken += 1
            self.handed_over += len(chunk.pcm)
            self.time_map.add(chunk)
            self._tap(self.source, chunk)
            self._in_hand = True
            self._moved()
            yield chunk.pcm.astype("<i2", copy=False).tobytes()
            self._in_hand = False
            self._moved()
            self._emit(ChunkDone(source=self.source, chunk=chunk.index, at_s=self.at_s()))

    async def _pause_after(self, last: int) -> None:
        """Call `at_pause` if the provider has reached a pause, that is, taken chunk `last`."""
        reached = {chunk for chunk in self._pauses if chunk <= last}
        self._pauses -= reached
        if reached and self._at_pause is not None:
            self._in_hand = True
            self._moved()
            await self._at_pause()
            self._in_hand = False
            self._moved()

    def _queued(self, chunk: Chunk, depth: int) -> Queued:
        return Queued(
            source=self.source,
            chunk=chunk.index,
            first_sample=chunk.first_sample,
            samples=len(chunk.pcm),
            due_s=self.start_s + chunk.end_sample / self._rate_hz,
            at_s=self.at_s(),
            depth=depth,
        )

    def _drop(self, chunk: Chunk) -> None:
        self._emit(Dropped(source=self.source, chunk=chunk.index, at_s=self.at_s()))

    def _waiting(self) -> int:
        """Waiting samples, without those of the newest chunk."""
        return self._chunks[-1].first_sample - self._chunks[0].first_sample if self._chunks else 0

    def _signal(self) -> None:
        level = min(1.0, self._waiting() / self._capacity)
        if (level >= HIGH_LEVEL) == self._pressed:
            return
        self._pressed = not self._pressed
        reason = "the provider is slower than the audio" if self._pressed else "caught up"
        self._emit(Backpressure(source=self.source, at_s=self.at_s(), level=level, reason=reason))

"""Streaming with an engine that decodes whole windows, as the Whisper family does.

At each chunk the open segment is decoded anew, which gives a partial; what two decodes in a row
agree on is marked stable. At a pause the whole segment is decoded once more, unless the last
partial heard all of it, and that is the final. Silence is never decoded: Whisper invents text
for it.
"""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ASRSegment, AudioSource, ProviderSettings, Word
from harness.errors import AudioError, ProviderError
from harness.resident import ResidentProvider, Session
from providers.policies.captions import Captions, checked_samples, placed
from providers.policies.segmenter import Limits, Segmenter, Window


@dataclass
class Stream:
    """What is known about one source in a session; a second stream of it goes on with this."""

    session: Session
    source: AudioSource | None
    segmenter: Segmenter
    windows: deque[Window] = field(default_factory=deque)
    """Not decoded yet."""
    latest: Window | None = None
    """The last one that was taken from there."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a window is decoded: a flush may come from another task in the middle."""
    captions: Captions = field(init=False)
    words: list[Word] = field(default_factory=list)
    """What the open segment was last said to be."""
    chunks: int = 0

    def __post_init__(self) -> None:
        self.captions = Captions(self.source)

    def abandon(self) -> None:
        """Forget what was left undone."""
        self.windows.clear()
        self.segmenter.abandon()
        self.captions.forget()
        self.words, self.chunks = [], 0


class WindowedProvider(ResidentProvider):
    """A subclass says how to `load`, to `decode` one window, and what `limits` its model has."""

    limits = Limits()
    decodes_finals_anew = False
    """Whether a final is worth a decode of its own although a partial has heard all of it."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._streams: dict[AudioSource | None, Stream] = {}

    @abstractmethod
    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """Recognise one window; blocking, on the model's thread.

        Args:
            samples: float32, shape (n,), 16 kHz.
            is_final: Whether this is the last word on these samples: take care, not short cuts.

        Returns:
            Words in order; their times are seconds from the window's beginning.
        """

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        session = self.open_stream(source, sample_rate)
        stream = self._stream(session, source)
        failure: AudioError | None = None
        try:
            async for pcm in pcm_stream:
                self.check_running(session, source)
                try:
                    stream.windows.extend(stream.segmenter.push(self._samples(stream, pcm)))
                except AudioError as error:
                    failure = error  # what was heard before it is decoded below
                    break
                async for segment in self._decoded(stream):
                    yield segment
            stream.windows.extend(stream.segmenter.flush())
            async for segment in self._decoded(stream):
                yield segment
        finally:
            stream.abandon()
            session.streaming.discard(source)
        if failure is not None:
            session.last_error = str(failure)
            raise failure

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`; a source that isn't streaming has nothing to flush."""
        stream = self._streams.get(source)
        if stream is None or source not in stream.session.streaming:
            return []
        finals = []
        async with stream.turn:
            stream.windows.extend(stream.segmenter.flush())
            while stream.windows:
                segment = await self._decode_next(stream)
                if segment is not None and segment.is_final:
                    finals.append(segment)
        return finals

    def _stream(self, session: Session, source: AudioSource | None) -> Stream:
        stream = self._streams.get(source)
        if stream is None or stream.session is not session:
            stream = Stream(session, source, Segmenter(self.limits, session.audio[source]))
            self._streams[source] = stream
        return stream

    def _samples(self, stream: Stream, pcm: bytes) -> Samples:
        where = f"{self.describe(stream.source)}, chunk {stream.chunks}"
        stream.chunks += 1
        return checked_samples(pcm, where)

    async def _decoded(self, stream: Stream) -> AsyncIterator[ASRSegment]:
        """Decode the windows that wait, and yield what that changes."""
        while stream.windows:
            try:
                async with stream.turn:  # a flush in between may leave none
                    segment = await self._decode_next(stream) if stream.windows else None
            except ProviderError:
                if stream.words and stream.latest is not None:  # keep what was said before
                    yield self._say(stream, stream.latest, stream.words, is_final=True)
                raise
            if segment is not None:
                yield segment

    async def _decode_next(self, stream: Stream) -> ASRSegment | None:
        """Decode the first window that waits; None when it changes nothing that was said."""
        self.check_running(stream.session, stream.source)
        window = stream.latest = stream.windows.popleft()
        words = stream.words
        to_decode = window.has_news or (window.is_final and self.decodes_finals_anew)
        if to_decode:
            call = partial(self.decode, window.samples, is_final=window.is_final)
            window_s = len(window.samples) / SAMPLE_RATE_HZ
            found = await self.infer(stream.session, stream.source, window_s, call)
            self.check_running(stream.session, stream.source)  # a stop cuts the engine short
            words = placed(
                found,
                window.begin / SAMPLE_RATE_HZ,
                window.end / SAMPLE_RATE_HZ,
                not_before_s=stream.captions.last_final_t1,
            )
        still_wanted = stream.segmenter.settle(window, decoded=to_decode)
        if not still_wanted or not (words or stream.words):
            return None
        return self._say(stream, window, words, is_final=window.is_final)

    def _say(
        self, stream: Stream, window: Window, words: list[Word], *, is_final: bool
    ) -> ASRSegment:
        if words:
            span_s = words[0].t0, words[-1].t1
        else:
            span_s = window.begin / SAMPLE_RATE_HZ, window.end / SAMPLE_RATE_HZ
        stream.words = [] if is_final else words
        text = " ".join(word.text for word in words)
        return stream.captions.say(window.segment_id, text, span_s, is_final=is_final, words=words)

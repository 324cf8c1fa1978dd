"""Streaming with an engine that decodes whole windows, as the Whisper family does.

At each chunk the open segment is decoded anew, which gives a partial; what two decodes in a row
agree on is marked stable. At a pause the whole segment is decoded once more, unless the last
partial heard all of it, and that is the final. Silence is never decoded: Whisper invents text
for it.
"""

from abc import abstractmethod
from collections import deque
from functools import partial

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioSource, Word
from harness.provider.resident import Session
from providers.streaming.base import Stream, StreamingProvider
from providers.streaming.segmenter import Limits, Segmenter, Window
from providers.streaming.segments import placed


class WindowedProvider(StreamingProvider):
    """A subclass says how to `load`, to `decode` one window, and what `limits` its model has."""

    limits = Limits()
    decodes_finals_anew = False
    """Whether a final is worth a decode of its own although a partial has heard all of it."""

    @abstractmethod
    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """Recognise one window; blocking, on the model's thread.

        Args:
            samples: float32, shape (n,), 16 kHz.
            is_final: Whether this is the last word on these samples: take care, not short cuts.

        Returns:
            Words in order; their times are seconds from the window's beginning.
        """

    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        """See `StreamingProvider`."""
        return WindowedStream(self, session, source)


class WindowedStream(Stream):
    """Decodes the windows of one source, in order."""

    def __init__(
        self, provider: WindowedProvider, session: Session, source: AudioSource | None
    ) -> None:
        super().__init__(session, source)
        self._provider = provider
        self._segmenter = Segmenter(provider.limits, self.account)
        self._windows: deque[Window] = deque()

    async def feed(self, samples: Samples) -> None:
        """See `Stream`."""
        self._windows.extend(self._segmenter.push(samples))
        await self._decode_all()

    async def flush(self) -> None:
        """See `Stream`."""
        self._windows.extend(self._segmenter.flush())
        await self._decode_all()

    async def abandon(self) -> None:
        """See `Stream`."""
        self._windows.clear()
        self._segmenter.abandon()

    async def _decode_all(self) -> None:
        while self._windows:
            await self._decode(self._windows.popleft())

    async def _decode(self, window: Window) -> None:
        """Decode a window, and say what that changes."""
        provider = self._provider
        provider.check_running(self.session, self.source)
        said = self.captions.latest
        words: list[Word] = [*said.words] if said else []
        to_decode = window.has_news or (window.is_final and provider.decodes_finals_anew)
        if to_decode:
            call = partial(provider.decode, window.samples, is_final=window.is_final)
            window_s = len(window.samples) / SAMPLE_RATE_HZ
            found = await provider.infer(self.session, self.source, window_s, call)
            provider.check_running(self.session, self.source)  # a stop cuts the engine short
            words = placed(
                found,
                window.begin / SAMPLE_RATE_HZ,
                window.end / SAMPLE_RATE_HZ,
                not_before_s=self.captions.last_final_t1,
            )
        still_wanted = self._segmenter.settle(window, decoded=to_decode)
        if not still_wanted or not (words or (said and said.words)):
            return
        if words:
            span_s = words[0].t0, words[-1].t1
        else:
            span_s = window.begin / SAMPLE_RATE_HZ, window.end / SAMPLE_RATE_HZ
        text = " ".join(word.text for word in words)
        self.say(window.segment_id, text, span_s, is_final=window.is_final, words=words)

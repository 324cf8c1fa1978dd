"""Streams with an engine that decodes whole windows, as the Whisper family does.

At each chunk the open segment is decoded again, which gives a partial; words on which two
successive decodes agree are stable. At a pause the whole segment is decoded once more for the
final, unless the last partial had all of it. Silence is never decoded: Whisper hallucinates text
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
    """Base of providers that decode windows; a subclass defines `load`, `decode` and `limits`."""

    limits = Limits()
    decodes_finals_anew = False
    """Whether a final is decoded again although a partial had all of its audio."""

    @abstractmethod
    def decode(self, samples: Samples, *, is_final: bool) -> list[Word]:
        """Recognise one window; blocking, on the model's thread.

        Args:
            samples: float32, shape (n,), 16 kHz.
            is_final: Whether this decode makes a final, so that accuracy matters more than speed.

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
        """Decode a window, and emit the result."""
        provider = self._provider
        provider.check_running(self.session, self.source)
        latest = self.captions.latest
        words: list[Word] = [*latest.words] if latest else []
        to_decode = window.has_new_speech or (window.is_final and provider.decodes_finals_anew)
        if to_decode:
            call = partial(provider.decode, window.samples, is_final=window.is_final)
            window_s = len(window.samples) / SAMPLE_RATE_HZ
            found = await provider.infer(self.session, self.source, window_s, call)
            provider.check_running(self.session, self.source)  # a stop interrupts the engine
            words = placed(
                found,
                window.begin / SAMPLE_RATE_HZ,
                window.end / SAMPLE_RATE_HZ,
                not_before_s=self.captions.last_final_t1,
            )
        still_wanted = self._segmenter.settle(window, decoded=to_decode)
        if not still_wanted or not (words or (latest and latest.words)):
            return
        if words:
            span_s = words[0].t0, words[-1].t1
        else:
            span_s = window.begin / SAMPLE_RATE_HZ, window.end / SAMPLE_RATE_HZ
        text = " ".join(word.text for word in words)
        self.emit(window.segment_id, text, span_s, is_final=window.is_final, words=words)

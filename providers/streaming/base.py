"""The common part of streaming providers: takes audio, yields segments, flushes, fails and ends.

A separate task takes the audio, so that segments are yielded immediately, also while no audio
arrives or the engine accepts none. The next chunk is taken once all earlier segments were read.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Sequence

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import ASRSegment, AudioSource, ProviderSettings, Word
from harness.errors import AudioError
from harness.provider.attribution import provider_errors
from harness.provider.resident import ResidentProvider, Session
from providers.streaming.segments import Captions, checked_samples


class Stream(ABC):
    """The state of one source in a session; a second stream of the source continues with it.

    A subclass feeds audio to the engine, and calls `emit` whenever there is new text.
    """

    def __init__(self, session: Session, source: AudioSource | None) -> None:
        self.session, self.source = session, source
        self.account = session.audio[source]
        self.captions = Captions(source)
        self.turn = asyncio.Lock()
        """Held while the engine is fed or flushed, since a flush may come from another task."""
        self.chunks = 0
        self.feeding: asyncio.Task[None] | None = None
        self._unread: deque[ASRSegment] = deque()
        self._flushed: list[ASRSegment] | None = None  # segments of a running flush
        self._news, self._read = asyncio.Event(), asyncio.Event()
        self._read.set()
        self._failure: Exception | None = None
        self._ending = asyncio.Lock()

    async def begin(self) -> None:  # noqa: B027  (most have nothing to do)
        """Prepare for audio."""

    @abstractmethod
    async def feed(self, samples: Samples) -> None:
        """Feed audio to the engine; keeps `account` correct, also when it raises.

        Args:
            samples: float32, shape (n,), n > 0, 16 kHz.
        """

    @abstractmethod
    async def flush(self) -> None:
        """Emit finals for everything fed so far; more audio may follow."""

    async def end(self) -> None:
        """Stop taking audio, abandon unfinished work, and account for it; may be called twice."""
        async with self._ending:
            if self.feeding is not None and self.feeding is not asyncio.current_task():
                self.feeding.cancel()
                await asyncio.gather(self.feeding, return_exceptions=True)
            self._unread.clear()
            self._failure = None
            self.captions.forget()
            self.chunks = 0
            try:
                await self.abandon()
            finally:
                self.account.dropped += self.account.pending

    @abstractmethod
    async def abandon(self) -> None:
        """Abandon unfinished work, and release this stream's resources."""

    def emit(
        self,
        segment_id: int,
        text: str,
        span_s: tuple[float, float],
        *,
        is_final: bool,
        words: Sequence[Word] = (),
    ) -> None:
        """Emit a segment; see `Captions.revise`."""
        self._put(self.captions.revise(segment_id, text, span_s, is_final=is_final, words=words))

    def settle(self) -> None:
        """Emit the last partial of the open segment as its final, if there is one."""
        if (final := self.captions.settle()) is not None:
            self._put(final)

    def fail(self, error: Exception) -> None:
        """End the stream with an error raised outside `feed` and `flush`; on the loop's thread."""
        self._failure = error
        if self.feeding is not None:
            self.feeding.cancel()

    def failure(self) -> Exception | None:
        """Return and forget the error given to `fail`."""
        failure, self._failure = self._failure, None
        return failure

    async def segments(self, feeding: asyncio.Task[None]) -> AsyncIterator[ASRSegment]:
        """Yield all segments until the audio has been fed."""
        self._unread.clear()  # a flush that outlasted the previous stream may have left some
        feeding.add_done_callback(lambda _: self._news.set())
        while True:
            while self._unread:
                yield self._unread.popleft()
            self._read.set()
            if feeding.done():
                return
            self._news.clear()
            await self._news.wait()

    async def all_read(self) -> None:
        """Wait until the consumer has read all segments and asks for the next."""
        await self._read.wait()

    async def flush_to_list(self) -> list[ASRSegment]:
        """Flush, and return the finals, including those that weren't read yet."""
        flushed = self._flushed = [*self._unread]
        self._unread.clear()
        self._read.set()
        try:
            await self.flush()
        except BaseException:
            self._flushed = None
            for segment in flushed:  # not returned, so they stay in the stream
                self._put(segment)
            raise
        self._flushed = None
        return [segment for segment in flushed if segment.is_final]

    def _put(self, segment: ASRSegment) -> None:
        if self._flushed is not None:
            self._flushed.append(segment)
            return
        self._unread.append(segment)
        self._news.set()
        self._read.clear()


class StreamingProvider(ResidentProvider):
    """Base of providers that stream; a subclass defines `load` and `make_stream`."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._streams: dict[AudioSource | None, Stream] = {}

    @abstractmethod
    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        """Create the stream of a source in a session, without beginning it."""

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        session = self.open_stream(source, sample_rate)
        stream = self._streams.get(source)
        if stream is None or stream.session is not session:
            stream = self._streams[source] = self.make_stream(session, source)
        feeding = stream.feeding = asyncio.create_task(self._feed(stream, pcm_stream))
        try:
            async for segment in stream.segments(feeding):
                yield segment
            self.check_running(session, source)  # if a stop cancelled it, raise that
            feeding.result()
        finally:
            await stream.end()
            session.streaming.discard(source)

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`; a source that isn't streaming has nothing to flush."""
        stream = self._streams.get(source)
        if stream is None or source not in stream.session.streaming:
            return []
        async with stream.turn:
            self.check_running(stream.session, source)
            with provider_errors(self.describe(source)):
                return await stream.flush_to_list()

    async def end_streams(self, session: Session) -> None:
        """See `ResidentProvider`; a stream's consumer gets the error when it asks again."""
        streams = [stream for stream in self._streams.values() if stream.session is session]
        await asyncio.gather(*(stream.end() for stream in streams))

    async def _feed(self, stream: Stream, pcm_stream: AsyncIterator[bytes]) -> None:
        session, source = stream.session, stream.source
        where = self.describe(source)
        try:
            with provider_errors(where):
                await stream.begin()
            bad_audio: AudioError | None = None
            async for pcm in pcm_stream:
                self.check_running(session, source)
                try:
                    samples = checked_samples(pcm, f"{where}, chunk {stream.chunks}")
                except AudioError as error:
                    bad_audio = error  # raised after the finals of the audio before it
                    break
                stream.chunks += 1
                with provider_errors(where):
                    async with stream.turn:
                        await stream.feed(samples)
                await stream.all_read()
            with provider_errors(where):
                async with stream.turn:
                    await stream.flush()
            if bad_audio is not None:
                raise bad_audio
        except asyncio.CancelledError:
            if (failure := stream.failure()) is not None:
                raise self._after_settling(stream, failure) from failure.__cause__
            raise
        except Exception as error:
            self._after_settling(stream, error)
            raise

    @staticmethod
    def _after_settling(stream: Stream, error: Exception) -> Exception:
        """Make the last partial before an error final, and return the error."""
        stream.settle()
        stream.session.last_error = str(error)
        return error

"""How a provider streams, whatever its engine: it takes audio, says segments, flushes, fails, ends.

The audio is taken by a task of its own, so that what an engine says goes out at once, also while
no audio comes or the engine takes none. The next chunk is taken when all that was said so far has
been read.
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
    """One source in a session; a second stream of that source goes on with this.

    A subclass says how audio is fed to the engine, and calls `say` whenever it knows more.
    """

    def __init__(self, session: Session, source: AudioSource | None) -> None:
        self.session, self.source = session, source
        self.account = session.audio[source]
        self.captions = Captions(source)
        self.turn = asyncio.Lock()
        """Held while the engine is fed or flushed: a flush may come from another task."""
        self.chunks = 0
        self.feeding: asyncio.Task[None] | None = None
        self._said: deque[ASRSegment] = deque()
        self._flushed: list[ASRSegment] | None = None  # what is said during a flush
        self._news, self._read = asyncio.Event(), asyncio.Event()
        self._read.set()
        self._failure: Exception | None = None
        self._ending = asyncio.Lock()

    async def begin(self) -> None:  # noqa: B027  (most have nothing to do)
        """Get ready for audio."""

    @abstractmethod
    async def feed(self, samples: Samples) -> None:
        """Give audio to the engine; keeps `account` right, also when it raises.

        Args:
            samples: float32, shape (n,), n > 0, 16 kHz.
        """

    @abstractmethod
    async def flush(self) -> None:
        """Say finals on everything that was fed; more audio may follow."""

    async def end(self) -> None:
        """Stop taking audio, give up whatever is not done, and account for it; may come twice."""
        async with self._ending:
            if self.feeding is not None and self.feeding is not asyncio.current_task():
                self.feeding.cancel()
                await asyncio.gather(self.feeding, return_exceptions=True)
            self._said.clear()
            self._failure = None
            self.captions.forget()
            self.chunks = 0
            try:
                await self.abandon()
            finally:
                self.account.dropped += self.account.pending

    @abstractmethod
    async def abandon(self) -> None:
        """Give up whatever is not done, and let go of what only this stream needs."""

    def say(
        self,
        segment_id: int,
        text: str,
        span_s: tuple[float, float],
        *,
        is_final: bool,
        words: Sequence[Word] = (),
    ) -> None:
        """Say something about a stretch of speech; see `Captions.say`."""
        self._put(self.captions.say(segment_id, text, span_s, is_final=is_final, words=words))

    def settle(self) -> None:
        """Say as a final what was last said about the open stretch, if anything was."""
        if (final := self.captions.settle()) is not None:
            self._put(final)

    def fail(self, error: Exception) -> None:
        """End the stream with an error that came up outside of `feed` and `flush`; on the loop."""
        self._failure = error
        if self.feeding is not None:
            self.feeding.cancel()

    def failure(self) -> Exception | None:
        """Return the error given to `fail`, once."""
        failure, self._failure = self._failure, None
        return failure

    async def segments(self, feeding: asyncio.Task[None]) -> AsyncIterator[ASRSegment]:
        """All that is said until the audio has been fed."""
        self._said.clear()  # a flush that outlived the stream before may have left something
        feeding.add_done_callback(lambda _: self._news.set())
        while True:
            while self._said:
                yield self._said.popleft()
            self._read.set()
            if feeding.done():
                return
            self._news.clear()
            await self._news.wait()

    async def all_read(self) -> None:
        """Wait until whoever listens has read all that was said, and asks for more."""
        await self._read.wait()

    async def flush_apart(self) -> list[ASRSegment]:
        """Flush, and return the finals; what nobody has read yet is among them."""
        flushed = self._flushed = [*self._said]
        self._said.clear()
        self._read.set()
        try:
            await self.flush()
        except BaseException:
            self._flushed = None
            for segment in flushed:  # nobody gets it from here, so it stays in the stream
                self._put(segment)
            raise
        self._flushed = None
        return [segment for segment in flushed if segment.is_final]

    def _put(self, segment: ASRSegment) -> None:
        if self._flushed is not None:
            self._flushed.append(segment)
            return
        self._said.append(segment)
        self._news.set()
        self._read.clear()


class StreamingProvider(ResidentProvider):
    """A subclass says how to `load` its engine, and what a `Stream` of it is."""

    def __init__(self, settings: ProviderSettings | None = None) -> None:
        super().__init__(settings)
        self._streams: dict[AudioSource | None, Stream] = {}

    @abstractmethod
    def make_stream(self, session: Session, source: AudioSource | None) -> Stream:
        """Make what a source needs in a session; it hasn't begun yet."""

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
            self.check_running(session, source)  # the stop that cancelled it tells more
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
                return await stream.flush_apart()

    async def end_streams(self, session: Session) -> None:
        """See `ResidentProvider`; whoever listens to one of them is told when it asks again."""
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
                    bad_audio = error  # what was heard before it is told first
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
                raise self._told(stream, failure) from failure.__cause__
            raise
        except Exception as error:
            self._told(stream, error)
            raise

    @staticmethod
    def _told(stream: Stream, error: Exception) -> Exception:
        """Keep what was said before an error."""
        stream.settle()
        stream.session.last_error = str(error)
        return error

"""What listens to one source of a session: gives a provider its chunks, notes what it says."""

from collections.abc import Callable

from harness.contract import ASRProvider, AudioSource
from harness.errors import BadOutputError, ProviderError
from harness.journal.events import Event, SegmentArrived
from harness.provider.attribution import provider_errors
from harness.provider.output_checks import MAX_SEGMENTS, checked_segment
from harness.session.chunk_queue import ChunkQueue, Tap


class Listener:
    """Gives a source's chunks to the provider, and notes what it says and when.

    Args:
        provider: The provider, in a session.
        source: Whose audio it is.
        start_s: When the source's first sample was captured, in the session's time.
        origin_s: The session's zero on the running clock.
        queue_s: Audio that may wait behind the newest chunk.
        emit: Takes the events.
        rate_hz: Samples that the source takes in a second of the clock.
        tap: Is called with each chunk that the provider takes.
    """

    def __init__(
        self,
        provider: ASRProvider,
        source: AudioSource,
        start_s: float,
        origin_s: float,
        queue_s: float,
        emit: Callable[[Event], None],
        rate_hz: float,
        tap: Tap,
    ) -> None:
        self.queue = ChunkQueue(source, start_s, origin_s, queue_s, emit, rate_hz, self._flush, tap)
        self._provider, self._source = provider, source
        self._emit = emit
        self._where = f"{provider.name}, source {source}"
        self._count = 0

    async def listen(self) -> None:
        """Stream all of the queue.

        Raises:
            ProviderError: The provider failed, babbles, or ended before the audio did.
        """
        queue = self.queue
        with provider_errors(self._where):
            stream = self._provider.transcribe_stream(queue.pcm(), source=self._source)
            async for segment in stream:
                self._note(segment)
        if not queue.drained:
            problem = f"ended its answer after {queue.taken} chunks, while audio went on"
            raise ProviderError(self._where, problem, "an answer to the whole stream")
        queue.close()

    async def _flush(self) -> None:
        """Ask for what is still open: silence is left out, so nothing else would end it."""
        with provider_errors(self._where):
            for segment in await self._provider.flush(self._source):
                self._note(segment)

    def _note(self, segment: object) -> None:
        said = checked_segment(segment, self._source, self._where)
        self.queue.answered()
        self._emit(SegmentArrived(at_s=self.queue.at_s(), segment=self.queue.heard.moved(said)))
        self._count += 1
        if self._count > MAX_SEGMENTS * (self.queue.taken + 1):
            raise BadOutputError(
                self._where,
                f"said {self._count} segments about {self.queue.taken} chunks",
                f"at most {MAX_SEGMENTS} a chunk",
            )

"""Streams one source's chunks to the provider and emits the segments that come back."""

from collections.abc import Callable

from harness.contract import ASRProvider, AudioSource
from harness.errors import BadOutputError, ProviderError
from harness.journal.events import Event, SegmentArrived
from harness.provider.attribution import provider_errors
from harness.provider.output_checks import MAX_SEGMENTS, checked_segment
from harness.session.chunk_queue import ChunkQueue, Tap


class Listener:
    """Streams one source's chunks to the provider and emits its segments with arrival times.

    Args:
        provider: The provider, in a session.
        source: Whose audio it is.
        start_s: When the source's first sample was captured, in the session's time.
        origin_s: The session's zero on the running clock.
        queue_s: Seconds of audio that may wait behind the newest chunk.
        emit: Takes the events.
        rate_hz: Samples that the source captures per second of the clock.
        tap: Called with each chunk that the provider takes.
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
        """Stream the whole queue.

        Raises:
            ProviderError: The provider failed, sent too many segments, or ended before the audio.
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
        """Ask for finals at a pause: the silence that would cause them was filtered out."""
        with provider_errors(self._where):
            for segment in await self._provider.flush(self._source):
                self._note(segment)

    def _note(self, segment: object) -> None:
        checked = checked_segment(segment, self._source, self._where)
        self.queue.answered()
        moved = self.queue.time_map.moved(checked)
        self._emit(SegmentArrived(at_s=self.queue.at_s(), segment=moved))
        self._count += 1
        if self._count > MAX_SEGMENTS * (self.queue.taken + 1):
            raise BadOutputError(
                self._where,
                f"emitted {self._count} segments for {self.queue.taken} chunks",
                f"at most {MAX_SEGMENTS} per chunk",
            )

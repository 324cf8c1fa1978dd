"""Plays a track in real time, like a live source that waits for nothing."""

from collections.abc import Callable, Iterable

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s, sleep_until
from harness.contract import AudioSource
from harness.journal.events import Event, Skipped, SourceEnded, SpeechScored, VadUsed
from harness.session.chunk_queue import ChunkQueue
from harness.session.chunking import Chunk, Chunker
from harness.statistics import percentile
from harness.timeline.timeline import Track
from harness.vad.prefilter import PreFilter, Stretch

CAPTURE_S = 0.1
"""Longest buffer of a sound card."""
SCORES_PER_EVENT = 32
"""Windows whose speech probabilities are emitted together: about a second."""


class Lateness:
    """Collects how late the buffers of a source were."""

    def __init__(self) -> None:
        self._late_s: list[float] = []

    def note(self, late_s: float) -> None:
        """Add the lateness of one buffer."""
        self._late_s.append(late_s)

    def played(self, source: AudioSource, samples: int, at_s: float) -> SourceEnded:
        """The event for the end of the source, with the lateness so far."""
        return SourceEnded(
            source=source,
            samples=samples,
            at_s=at_s,
            late_p99_s=percentile(self._late_s or [0.0], 0.99),
            late_max_s=max(self._late_s, default=0.0),
        )


class Feed:
    """Passes captured audio through the filter, if there is one, and the chunker into the queue.

    Args:
        source: Whose audio it is.
        chunker: Cuts what passes into chunks.
        queue: Where the chunks go.
        prefilter: Removes silence; None passes everything.
        emit: Takes events.
        origin_s: The trial's zero on the running clock.
    """

    def __init__(
        self,
        source: AudioSource,
        chunker: Chunker,
        queue: ChunkQueue,
        prefilter: PreFilter | None,
        emit: Callable[[Event], None],
        origin_s: float,
    ) -> None:
        self.queue, self.prefilter = queue, prefilter
        self._source, self._chunker = source, chunker
        self._emit, self._origin_s = emit, origin_s
        self._taken = self._scored = 0

    @property
    def wants(self) -> int:
        """Samples to take at once: a sound card's buffer, or what completes a chunk."""
        buffer = round(CAPTURE_S * SAMPLE_RATE_HZ)
        return min(buffer, self._chunker.missing) if self.prefilter is None else buffer

    def take(self, pcm: Pcm16) -> None:
        """Take the next samples."""
        self._taken += len(pcm)
        if self.prefilter is None:
            self._put(self._chunker.push(pcm))
            return
        for stretch in self.prefilter.push(pcm):
            self._route(stretch)
        self._emit_scores(SCORES_PER_EVENT)

    def end(self) -> None:
        """End the stream: nothing more was captured."""
        if self.prefilter is not None:
            for stretch in self.prefilter.finish():
                self._route(stretch)
            self._emit_scores(1)
            audio_s = self._taken / SAMPLE_RATE_HZ
            self._emit(VadUsed(source=self._source, cpu_s=self.prefilter.cpu_s, audio_s=audio_s))
        self._put(self._chunker.finish())
        self.queue.end()

    def _put(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            self.queue.put(chunk)

    def _route(self, stretch: Stretch) -> None:
        if stretch.is_speech:
            self._put(self._chunker.push(stretch.pcm))
        else:
            self._put(self._chunker.finish())
            self._chunker.skip(len(stretch.pcm))
            self._emit(
                Skipped(
                    source=self._source,
                    first_sample=stretch.first_sample,
                    samples=len(stretch.pcm),
                    at_s=self._at_s(),
                )
            )
        if stretch.is_speech and stretch.ends:  # a pause: ask for the final
            self._put(self._chunker.finish())
            self.queue.put_pause()

    def _emit_scores(self, at_least: int) -> None:
        prefilter = self.prefilter
        if prefilter is not None and len(prefilter.percent) >= at_least:
            percent, prefilter.percent = tuple(prefilter.percent), []
            first = self._scored
            self._scored = prefilter.judged
            self._emit(SpeechScored(source=self._source, first_sample=first, percent=percent))

    def _at_s(self) -> float:
        return now_s() - self._origin_s


async def play(track: Track, emit: Callable[[Event], None], feed: Feed, origin_s: float) -> None:
    """Deliver a track in small buffers, each when its last sample has been captured.

    Buffers end where chunks do, so that no chunk waits for samples that aren't in it. Deadlines are
    absolute: neither a late wake-up nor a slow provider delays the next buffer.

    Args:
        track: What to play.
        emit: Takes the `SourceEnded` event, which says how late the buffers were.
        feed: Where the audio goes.
        origin_s: The trial's zero on the running clock.
    """
    captured, lateness = 0, Lateness()
    while captured < len(track.audio):
        buffer = track.audio[captured : captured + feed.wants]
        captured += len(buffer)
        due_s = origin_s + track.start_s + captured / track.rate_hz
        await sleep_until(due_s)
        lateness.note(now_s() - due_s)
        feed.take(buffer)
    feed.end()
    emit(lateness.played(track.source, captured, now_s() - origin_s))

"""Plays a track as a live source does: by the clock, whatever becomes of the audio."""

from harness.audio import SAMPLE_RATE_HZ
from harness.chunking import Chunker
from harness.chunkqueue import ChunkQueue
from harness.clock import sleep_until
from harness.timeline import Track

CAPTURE_S = 0.1
"""What a sound card hands over at a time, at most."""


async def play(track: Track, chunker: Chunker, queue: ChunkQueue, origin_s: float) -> None:
    """Deliver a track in small buffers, each when its last sample has been captured.

    A buffer ends where a chunk does, so that no chunk waits for samples that aren't in it. The
    deadlines are absolute, so a late wake-up delays no other buffer, and a slow provider delays
    none. How late each chunk came is in its `Queued` event.

    Args:
        track: What to play.
        chunker: Makes chunks of the buffers.
        queue: Where the chunks go.
        origin_s: The trial's zero on the running clock.
    """
    captured = 0
    while captured < len(track.audio):
        length = min(round(CAPTURE_S * SAMPLE_RATE_HZ), chunker.missing)
        buffer = track.audio[captured : captured + length]
        captured += len(buffer)
        await sleep_until(origin_s + track.start_s + captured / SAMPLE_RATE_HZ)
        for chunk in chunker.push(buffer):
            queue.put(chunk)
    for chunk in chunker.finish():
        queue.put(chunk)
    queue.end()

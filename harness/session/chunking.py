"""Cuts captured audio into the chunks for a provider."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Pcm16

FIRST_CHUNK_S = 1.0
"""Length of the first chunk at most: the first text must not wait for a long chunk."""


@dataclass(frozen=True)
class Chunk:
    """A run of samples of one source."""

    index: int
    first_sample: int
    pcm: Pcm16

    @property
    def end_sample(self) -> int:
        """The number of the sample after the last one."""
        return self.first_sample + len(self.pcm)


class Chunker:
    """Collects samples into chunks of `chunk_seconds`, which may be changed at any time.

    The first chunks are short: each is as long as all earlier ones together, up to the full size.
    With chunks of 8 s they end at 1, 2, 4, 8, 16, 24, … s.

    >>> chunker = Chunker(chunk_seconds=4.0)
    >>> second = np.zeros(SAMPLE_RATE_HZ, np.int16)
    >>> [chunk.end_sample / SAMPLE_RATE_HZ for _ in range(13) for chunk in chunker.push(second)]
    [1.0, 2.0, 4.0, 8.0, 12.0]
    >>> [len(chunk.pcm) for chunk in chunker.finish()]
    [16000]
    """

    def __init__(self, chunk_seconds: float) -> None:
        self.chunk_seconds = chunk_seconds
        self._parts: list[Pcm16] = []
        self._waiting = 0
        self._cut = 0
        self._index = 0

    @property
    def missing(self) -> int:
        """Samples that the next chunk still lacks; at least one."""
        return max(1, self._next_size() - self._waiting)

    def push(self, pcm: Pcm16) -> Iterator[Chunk]:
        """Add samples, and yield the chunks that they complete."""
        self._parts.append(pcm)
        self._waiting += len(pcm)
        while self._waiting >= (size := self._next_size()):
            yield self._take(size)

    def finish(self) -> Iterator[Chunk]:
        """Yield the remaining samples as a shorter chunk."""
        if self._waiting:
            yield self._take(self._waiting)

    def skip(self, samples: int) -> None:
        """Skip samples that belong to no chunk; call `finish` before."""
        self._cut += samples

    def _next_size(self) -> int:
        begun = max(round(FIRST_CHUNK_S * SAMPLE_RATE_HZ), self._cut)
        return max(1, min(round(self.chunk_seconds * SAMPLE_RATE_HZ), begun))

    def _take(self, size: int) -> Chunk:
        joined = np.concatenate(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts = [joined[size:]]
        self._waiting -= size
        chunk = Chunk(self._index, self._cut, joined[:size])
        self._cut += size
        self._index += 1
        return chunk

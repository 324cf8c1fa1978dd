"""Cuts captured audio into the chunks that a provider gets."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.audio import SAMPLE_RATE_HZ, Pcm16

FIRST_CHUNK_S = 1.0
"""The first text must not wait for a full long chunk."""


@dataclass(frozen=True)
class Chunk:
    """A piece of one source's audio."""

    index: int
    first_sample: int
    pcm: Pcm16

    @property
    def end_sample(self) -> int:
        """The sample after the last."""
        return self.first_sample + len(self.pcm)


class Chunker:
    """Collects samples into chunks of `chunk_seconds`, which may be changed at any time.

    It begins with short chunks: each is as long as all before it together, until they reach full
    size. So chunks end at 1, 2, 4, 8, 16, 24, … s when their size is 8 s.

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
        """How many more samples complete the next chunk; at least one."""
        return max(1, self._next_size() - self._waiting)

    def push(self, pcm: Pcm16) -> Iterator[Chunk]:
        """Take the next samples, and yield the chunks that are complete now."""
        self._parts.append(pcm)
        self._waiting += len(pcm)
        while self._waiting >= (size := self._next_size()):
            yield self._take(size)

    def finish(self) -> Iterator[Chunk]:
        """Yield what is left, as a shorter last chunk."""
        if self._waiting:
            yield self._take(self._waiting)

    def skip(self, samples: int) -> None:
        """Pass over the next samples, which belong to no chunk; call `finish` before."""
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

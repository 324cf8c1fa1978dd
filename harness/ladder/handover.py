"""Giving a running stream from one provider to another, without losing a chunk on the way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from harness.contract import ASRSegment

CANCEL_TIMEOUT_S = 10.0
"""For a provider that is left to let go of a stream; one that doesn't is left to itself."""


class Pull:
    """A stream whose next chunk can be awaited by one provider, given up, and awaited by another.

    To cancel the wait for a chunk would end the stream itself.

    Args:
        stream: Its chunks.
        heard: Called with each chunk as soon as it has been taken from the stream.
    """

    def __init__(self, stream: AsyncIterator[bytes], heard: Callable[[bytes], None]) -> None:
        self._stream, self._heard = stream, heard
        self._asked: asyncio.Future[bytes | None] | None = None
        self.ended = False

    async def next(self) -> bytes | None:
        """The next chunk; None at the end."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._next())
        chunk = await asyncio.shield(self._asked)
        self._asked = None
        return chunk

    def forget(self) -> None:
        """Leave out a chunk that came when nobody waited for it any more."""
        if self._asked is not None and self._asked.done():
            self._asked = None

    def close(self) -> None:
        """Nobody will ask any more."""
        if self._asked is not None:
            self._asked.cancel()

    async def _next(self) -> bytes | None:
        chunk = None if self.ended else await anext(self._stream, None)
        if chunk is None:
            self.ended = True
        else:
            self._heard(chunk)
        return chunk


async def chunks(again: bytes, pull: Pull) -> AsyncIterator[bytes]:
    """What a provider that takes over hears: what wasn't final, and then what comes."""
    if again:
        yield again
    while (chunk := await pull.next()) is not None:
        yield chunk


async def until(
    segments: AsyncIterator[ASRSegment], leave: asyncio.Event
) -> AsyncGenerator[ASRSegment]:
    """Yield segments until told to leave; then whoever makes them is cancelled."""
    leaving = asyncio.ensure_future(leave.wait())
    following: asyncio.Future[ASRSegment | None] | None = None
    try:
        while not leave.is_set():
            following = asyncio.ensure_future(_next(segments))
            await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                return
            if (segment := following.result()) is None:
                return
            yield segment
    finally:
        leaving.cancel()
        await _let_go(segments, following)


async def _next(segments: AsyncIterator[ASRSegment]) -> ASRSegment | None:
    return await anext(segments, None)


async def _let_go(
    segments: AsyncIterator[ASRSegment], following: asyncio.Future[ASRSegment | None] | None
) -> None:
    """Cancel a provider's stream; one that won't be cancelled is left to itself."""
    if following is not None and not following.done():
        following.cancel()
        await asyncio.wait({following}, timeout=CANCEL_TIMEOUT_S)
        if not following.done():
            return
    if isinstance(segments, AsyncGenerator):
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            await segments.aclose()

"""Hands a running stream over from one provider to another without losing a chunk."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from harness.contract import ASRSegment

CANCEL_TIMEOUT_S = 10.0
"""How long a provider may take to cancel a stream; after that it is abandoned."""


class Pull:
    """Reads a stream for successive providers: one may stop waiting for a chunk, the next gets it.

    Cancelling `anext` would end the stream itself, so the wait is kept in a future of its own.

    Args:
        stream: The chunks.
        on_chunk: Called with each chunk as soon as it has been taken from the stream.
    """

    def __init__(self, stream: AsyncIterator[bytes], on_chunk: Callable[[bytes], None]) -> None:
        self._stream, self._on_chunk = stream, on_chunk
        self._pending: asyncio.Future[bytes | None] | None = None
        self.ended = False

    async def next(self) -> bytes | None:
        """The next chunk; None at the end."""
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._next())
        chunk = await asyncio.shield(self._pending)
        self._pending = None
        return chunk

    def forget(self) -> None:
        """Discard a chunk that arrived after its provider had stopped waiting."""
        if self._pending is not None and self._pending.done():
            self._pending = None

    def close(self) -> None:
        """Cancel a pending wait: no further chunk is needed."""
        if self._pending is not None:
            self._pending.cancel()

    async def _next(self) -> bytes | None:
        chunk = None if self.ended else await anext(self._stream, None)
        if chunk is None:
            self.ended = True
        else:
            self._on_chunk(chunk)
        return chunk


async def chunks(replay: bytes, pull: Pull) -> AsyncIterator[bytes]:
    """The stream for a provider that takes over: audio that wasn't final, then new chunks."""
    if replay:
        yield replay
    while (chunk := await pull.next()) is not None:
        yield chunk


async def until(
    segments: AsyncIterator[ASRSegment], stop: asyncio.Event
) -> AsyncGenerator[ASRSegment]:
    """Yield segments until `stop` is set; then cancel the provider's stream."""
    stopping = asyncio.ensure_future(stop.wait())
    following: asyncio.Future[ASRSegment | None] | None = None
    try:
        while not stop.is_set():
            following = asyncio.ensure_future(_next(segments))
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                return
            if (segment := following.result()) is None:
                return
            yield segment
    finally:
        stopping.cancel()
        await _cancel(segments, following)


async def _next(segments: AsyncIterator[ASRSegment]) -> ASRSegment | None:
    return await anext(segments, None)


async def _cancel(
    segments: AsyncIterator[ASRSegment], following: asyncio.Future[ASRSegment | None] | None
) -> None:
    """Cancel a provider's stream; abandon it after `CANCEL_TIMEOUT_S`."""
    if following is not None and not following.done():
        following.cancel()
        await asyncio.wait({following}, timeout=CANCEL_TIMEOUT_S)
        if not following.done():
            return
    if isinstance(segments, AsyncGenerator):
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            await segments.aclose()

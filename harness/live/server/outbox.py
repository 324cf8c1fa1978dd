"""What waits to be sent to one client: bounded, and a partial makes room for the next."""

import asyncio
from collections import deque

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from harness.live.protocol.close_codes import Close
from harness.live.protocol.messages import FromServer, Partial
from harness.live.server.limits import LiveLimits


class Outbox:
    """Sends to a client; putting something in never waits.

    Finals are never left out: a client that doesn't read is cut off instead, and what it missed
    is in the transcript.

    Args:
        connection: Where to.
        limits: How much may wait, and for how long.
    """

    def __init__(self, connection: ServerConnection, limits: LiveLimits) -> None:
        self._connection, self._limits = connection, limits
        self._waiting: deque[FromServer] = deque()
        self._news = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.cut_off = False
        self.closing: asyncio.Task[None] | None = None

    def put(self, message: FromServer) -> None:
        """Let a message be sent, after those before it."""
        if self.cut_off:
            return
        if isinstance(message, Partial) and self._takes_place(message):
            return
        self._waiting.append(message)
        self._empty.clear()
        self._news.set()
        if len(self._waiting) > self._limits.unread_messages:
            self._cut_off()

    async def send(self) -> None:
        """Send what comes, until cancelled or the client is gone."""
        encode = msgspec.json.Encoder().encode
        while not self.cut_off:
            await self._news.wait()
            self._news.clear()
            while self._waiting and not self.cut_off:
                text = encode(self._waiting.popleft()).decode()
                try:
                    async with asyncio.timeout(self._limits.unread_s):
                        await self._connection.send(text)
                except TimeoutError:
                    self._cut_off()
                except ConnectionClosed:
                    self.cut_off = True
            self._empty.set()

    async def drained(self) -> None:
        """Wait until everything was sent, for a while."""
        try:
            async with asyncio.timeout(self._limits.unread_s):
                await self._empty.wait()
        except TimeoutError:
            self._cut_off()

    def _takes_place(self, partial: Partial) -> bool:
        """Put a partial in the place of one that it revises and that was not sent yet."""
        for at in range(len(self._waiting) - 1, -1, -1):
            other = self._waiting[at]
            if isinstance(other, Partial) and other.source is partial.source:
                if other.segment_id != partial.segment_id:
                    return False
                self._waiting[at] = partial
                return True
        return False

    def _cut_off(self) -> None:
        """End the connection of a client that doesn't read; it learns why if it does so yet."""
        self.cut_off = True
        self._waiting.clear()
        self._empty.set()
        reason = "what was sent is not read"
        self.closing = asyncio.create_task(self._connection.close(Close.SLOW_CONSUMER, reason))

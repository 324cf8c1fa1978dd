"""Queues the messages for one client: bounded, and with the latest partial only."""

import asyncio
from collections import deque

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from harness.live.protocol.close_codes import Close
from harness.live.protocol.messages import FromServer, Partial
from harness.live.server.limits import LiveLimits


class Outbox:
    """Sends messages to one client; `put` never waits.

    No final is left out: a client that doesn't read is disconnected instead.

    Args:
        connection: The client's.
        limits: How many messages may wait, and how long.
    """

    def __init__(self, connection: ServerConnection, limits: LiveLimits) -> None:
        self._connection, self._limits = connection, limits
        self._waiting: deque[FromServer] = deque()
        self._queued = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.cut_off = False
        self.closing: asyncio.Task[None] | None = None

    def put(self, message: FromServer) -> None:
        """Queue a message."""
        if self.cut_off:
            return
        if isinstance(message, Partial) and self._replace(message):
            return
        self._waiting.append(message)
        self._empty.clear()
        self._queued.set()
        if len(self._waiting) > self._limits.unread_messages:
            self._cut_off()

    async def send(self) -> None:
        """Send queued messages until cancelled or the client is gone."""
        encode = msgspec.json.Encoder().encode
        while not self.cut_off:
            await self._queued.wait()
            self._queued.clear()
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
        """Wait until everything was sent, or disconnect the client after `unread_s`."""
        try:
            async with asyncio.timeout(self._limits.unread_s):
                await self._empty.wait()
        except TimeoutError:
            self._cut_off()

    def _replace(self, partial: Partial) -> bool:
        """Replace an unsent partial by its revision; False where there is none."""
        for at in range(len(self._waiting) - 1, -1, -1):
            other = self._waiting[at]
            if isinstance(other, Partial) and other.source is partial.source:
                if other.segment_id != partial.segment_id:
                    return False
                self._waiting[at] = partial
                return True
        return False

    def _cut_off(self) -> None:
        """Disconnect a client that doesn't read its messages."""
        self.cut_off = True
        self._waiting.clear()
        self._empty.set()
        reason = "messages are not read"
        self.closing = asyncio.create_task(self._connection.close(Close.SLOW_CONSUMER, reason))

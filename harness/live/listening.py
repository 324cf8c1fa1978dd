"""The listening socket of the live server, and what holds for every connection to it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve

from harness.clock import now_s
from harness.errors import UsageError
from harness.live.door import Door
from harness.live.limits import Bucket, LiveLimits
from harness.live.server import LiveServer

CLOSING_S = 3.0
SILENT = logging.getLogger("echobench.live.websockets")
SILENT.setLevel(logging.CRITICAL)  # a traceback for each client that is lost would hold up the rest
ARRIVALS = 2.0
"""Times as many connections a second as are let in get an answer; more are cut off unread."""


class GuardedConnection(ServerConnection):
    """Counts connections from the first byte on; what is far too much is cut off unread.

    To read a request and refuse it takes a millisecond, which the others would have to wait.
    """

    limits: LiveLimits
    arrivals: Bucket
    count = 0
    cut_off = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        cls = type(self)
        cls.count += 1
        too_many = cls.count > self.limits.connections + self.limits.handshakes
        self.cut_off = too_many or not self.arrivals.take(1.0, now_s())
        if self.cut_off:
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        type(self).count -= 1
        if not self.cut_off:  # else nothing was begun that has to end
            super().connection_lost(exc)


@contextlib.asynccontextmanager
async def listening(
    live: LiveServer, door: Door, limits: LiveLimits, host: str, port: int
) -> AsyncIterator[Server]:
    """Listen for clients; inside, `door.port` is the port.

    Raises:
        UsageError: The address can't be listened on.
    """

    async def handler(connection: ServerConnection) -> None:
        door.inside += 1
        try:
            await live.welcome(connection)
        finally:
            door.inside -= 1

    many_s = ARRIVALS * limits.connections_per_s
    guard = {"limits": limits, "arrivals": Bucket(many_s, 2 * many_s, now_s())}

    options: dict[str, Any] = {
        "process_request": door.check,
        "subprotocols": None,
        "select_subprotocol": door.choose_subprotocol,
        "compression": None,
        "max_size": limits.frame_bytes,
        "open_timeout": limits.handshake_s,
        "ping_interval": limits.ping_s,
        "ping_timeout": limits.ping_s,
        "close_timeout": CLOSING_S,
        "logger": SILENT,
        "server_header": None,
        "create_connection": type("Connection", (GuardedConnection,), guard),
    }
    try:
        server = await serve(handler, host, port, **options)
    except OSError as error:
        where = f"{host}:{port}"
        raise UsageError(
            where, f"can't be listened on ({error.strerror})", "a free port"
        ) from error
    door.port = next(iter(server.sockets)).getsockname()[1]
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()

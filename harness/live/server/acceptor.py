"""Accepts the live server's connections one by one, at a limited rate.

Reading a request and beginning or ending a session takes milliseconds, which delays captions of
running sessions. Connections over the rate wait in the system's queue, where they cost nothing;
none is refused for it.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

from harness.clock import now_s
from harness.errors import UsageError
from harness.live.protocol.close_codes import Close
from harness.live.server.admission import Admission, choose_subprotocol
from harness.live.server.limits import Bucket, LiveLimits
from harness.live.server.server import LiveServer

CLOSING_S = 3.0
BACKLOG = 128
"""Connections that wait in the system's queue."""
PAUSE_S = 0.02
"""Time between two connections, for running sessions."""
UNREAD_BYTES = 1 << 15
"""The system's receive buffer per client, so that one read doesn't take long."""
OFFENCE = 8.0
"""How many connections one counts for that broke the protocol."""
BLAMELESS = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD,
             CloseCode.ABNORMAL_CLOSURE, Close.PROVIDER_FAILED, Close.FULL)  # fmt: skip
"""Close codes that are no offence: a normal end, or no fault of the client."""
NO_ROOM_S = 0.2
SILENT = logging.getLogger("echobench.live.websockets")
SILENT.setLevel(logging.CRITICAL)  # a traceback per lost client would delay the rest
log = logging.getLogger("echobench.live")


class PacedAcceptor(Server):
    """Accepts and serves connections at the rate that the limits allow.

    Args:
        live: Serves each connection.
        admission: Decides whether to admit each.
        limits: How many there may be, and their rate.
    """

    def __init__(self, live: LiveServer, admission: Admission, limits: LiveLimits) -> None:
        super().__init__(
            self._serve,
            process_request=admission.check,
            server_header=None,
            open_timeout=limits.handshake_s,
            logger=SILENT,
        )
        self._live, self._admission, self._limits = live, admission, limits
        self._budget = Bucket(limits.connections_per_s, limits.connections_burst, now_s())

    def is_serving(self) -> bool:
        """Whether it isn't closing."""
        return self.close_task is None

    def new_connection(self) -> ServerConnection:
        """Create the connection of one client."""
        limits = self._limits
        return ServerConnection(
            ServerProtocol(
                select_subprotocol=choose_subprotocol, max_size=limits.frame_bytes, logger=SILENT
            ),
            self,
            ping_interval=limits.ping_s,
            ping_timeout=limits.ping_s,
            close_timeout=CLOSING_S,
        )

    async def admit(self, sock: socket.socket) -> None:
        """Accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        max_handlers = self._limits.connections + self._limits.handshakes
        while True:
            if len(self.handlers) >= max_handlers or not self._budget.take(1.0, now_s()):
                await asyncio.sleep(1.0 / self._limits.connections_per_s)
                continue
            try:
                accepted, _ = await loop.sock_accept(sock)
                await loop.connect_accepted_socket(self.new_connection, accepted)
            except OSError as error:  # it is gone already, or no file descriptor is left
                log.warning("a connection was lost before it began: %s", error.strerror)
                await asyncio.sleep(NO_ROOM_S)
            await asyncio.sleep(PAUSE_S)

    async def _serve(self, connection: ServerConnection) -> None:
        self._admission.connected += 1
        try:
            await self._live.handle(connection)
        finally:
            self._admission.connected -= 1
            if connection.close_code not in BLAMELESS:
                self._budget.charge(OFFENCE)


@contextlib.asynccontextmanager
async def listening(
    live: LiveServer, admission: Admission, limits: LiveLimits, host: str, port: int
) -> AsyncIterator[PacedAcceptor]:
    """Listen for clients; sets `admission.port`.

    Raises:
        UsageError: The address can't be listened on.
    """
    acceptor = PacedAcceptor(live, admission, limits)
    with contextlib.ExitStack() as listeners:
        try:
            # It only binds the address: asyncio itself would accept without a rate limit.
            bound = await asyncio.get_running_loop().create_server(
                acceptor.new_connection, host, port, start_serving=False
            )
            listeners.callback(bound.close)
            acceptor.wrap(bound)
            sockets = [listeners.enter_context(each.dup()) for each in bound.sockets]
            for sock in sockets:
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)
                sock.listen(BACKLOG)
        except OSError as error:
            problem = f"can't be listened on ({error.strerror})"
            raise UsageError(f"{host}:{port}", problem, "a free port") from error
        admission.port = bound.sockets[0].getsockname()[1]
        accepting = [asyncio.create_task(acceptor.admit(sock)) for sock in sockets]
        try:
            yield acceptor
        finally:
            for task in accepting:
                task.cancel()
            await asyncio.wait(accepting)
            acceptor.close()
            await acceptor.wait_closed()

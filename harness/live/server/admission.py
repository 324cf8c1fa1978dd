"""Admits connections by path, origin, token and number, before a WebSocket is opened.

Browsers let any page open a WebSocket to this machine; only the `Origin` header tells which page it
is. A page can set no other header than the subprotocol, so its token goes there. A token in the URL
would end up in logs, and is refused.
"""

import base64
import hmac
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from harness.live.page import page_response
from harness.live.server.limits import LiveLimits

PATH = "/live"
PROTOCOL_NAME = Subprotocol("echobench.v1")
BEARER = "bearer."
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Admission:
    """Admits or refuses each connection by its first request.

    Args:
        limits: How many connections there may be.
        token: The token that clients must send; None admits them without one.
        origins: Pages that may connect, beside the server's own.
    """

    def __init__(self, limits: LiveLimits, token: str | None, origins: Sequence[str]) -> None:
        self._limits, self._token = limits, token
        self._extra = frozenset(origins)
        self.port = 0
        self.connected = 0
        """Admitted connections that are still open."""

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        """The response to a request; None admits a WebSocket."""
        url = urlsplit(request.path)
        if parse_qs(url.query, keep_blank_values=True):
            return connection.respond(
                HTTPStatus.BAD_REQUEST, "the URL may have no query, and no token in it\n"
            )
        if url.path != PATH:
            return self._page(connection, request, url.path)
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self.origins():
            return connection.respond(HTTPStatus.FORBIDDEN, f"pages of {origin} may not connect\n")
        if not self._knows_token(request):
            return connection.respond(
                HTTPStatus.UNAUTHORIZED, "Authorization: Bearer TOKEN is missing or wrong\n"
            )
        if self.connected >= self._limits.connections:
            problem = f"all {self._limits.connections} connections are in use\n"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, problem)
        return None

    def origins(self) -> set[str]:
        """The pages that may connect."""
        return {*self._extra, *(f"http://{host}:{self.port}" for host in LOOPBACK)}

    def _page(self, connection: ServerConnection, request: Request, path: str) -> Response:
        # Another host name may have been made to point to this machine (DNS rebinding).
        host = request.headers.get("Host", "")
        known = {f"{name}:{self.port}" for name in LOOPBACK}
        known |= {urlsplit(origin).netloc for origin in self._extra}
        if host not in known:
            return connection.respond(HTTPStatus.MISDIRECTED_REQUEST, f"no page for {host}\n")
        response = page_response(path)
        if response is None:
            return connection.respond(HTTPStatus.NOT_FOUND, f"the WebSocket is at {PATH}\n")
        return response

    def _knows_token(self, request: Request) -> bool:
        if self._token is None:
            return True
        expected = self._token.encode()
        return any(hmac.compare_digest(given, expected) for given in tokens(request))


def choose_subprotocol(
    protocol: ServerProtocol, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    """Select the protocol's name; never the token, which would be sent back."""
    return PROTOCOL_NAME if PROTOCOL_NAME in offered else None


def tokens(request: Request) -> list[bytes]:
    """The tokens in a request's headers."""
    found = []
    for header in request.headers.get_all("Authorization"):
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            found.append(value.strip().encode())
    for header in request.headers.get_all("Sec-WebSocket-Protocol"):
        names = (name.strip() for name in header.split(","))
        found += [_decoded(name.removeprefix(BEARER)) for name in names if name.startswith(BEARER)]
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""

"""Connects to a captioning server with the protocol that an adapter file describes."""

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from harness.contract import AudioSource
from harness.errors import ProviderError, UnavailableError
from providers.app.adapter import Adapter, Message, Text, matches

MAX_MESSAGE = 1 << 22
CLOSE_S = 2.0
"""Timeout for the closing handshake."""


@dataclass(frozen=True)
class ServerText:
    """Text from the server as it was sent; no field has been checked."""

    source: AudioSource | None
    """None for an unknown source."""
    named: Any
    """What the server called it."""
    is_final: bool
    text: Any
    t0: Any
    """None where the server doesn't send it; the same holds for `t1`."""
    t1: Any


class AppLink:
    """One session with the server; create it with `open`."""

    def __init__(self, connection: ClientConnection, adapter: Adapter) -> None:
        self._connection, self.adapter = connection, adapter
        self._session = f"echobench-{uuid.uuid4().hex[:12]}"
        self.ended = False
        """Whether the end was sent."""

    @classmethod
    async def open(cls, adapter: Adapter) -> "AppLink":
        """Connect, and wait until audio may be sent.

        Raises:
            UnavailableError: The server can't be reached, or refuses the connection.
            ProviderError: The server reports an error, or closes the connection.
        """
        link = cls(await _connected(adapter), adapter)
        try:
            if (first := adapter.first(link._session)) is not None:
                await link._send(first)
            if adapter.ready is not None:
                await link._until_ready()
        except BaseException:
            await link.close()
            raise
        return link

    async def send(self, source: AudioSource, pcm: bytes) -> None:
        """Send a piece of audio; does nothing after the server has closed the connection."""
        await self._send(self.adapter.frame(self._session, source, pcm))

    async def end(self) -> None:
        """Tell the server that no audio follows."""
        self.ended = True
        await self._send(self.adapter.last(self._session))

    async def texts(self) -> AsyncIterator[ServerText]:
        """Yield the server's texts until the session ends.

        Raises:
            ProviderError: The server reports an error, sends something that can't be parsed, or
                closes the connection before all audio was sent.
        """
        try:
            async for message in self._connection:
                content = self._content(message)
                for kind, is_final in ((self.adapter.partial, False), (self.adapter.final, True)):
                    if kind is not None and matches(content, kind.when):
                        yield self._server_text(content, kind, is_final=is_final)
                if matches(content, self.adapter.done):
                    return
        except ConnectionClosed:
            pass  # `_closed` reports the close code
        if not self.ended:
            raise self._closed("before all audio was sent")

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed:
            return  # `texts` raises the error

    async def _until_ready(self) -> None:
        try:
            async for message in self._connection:
                if matches(self._content(message), self.adapter.ready):
                    return
        except ConnectionClosed:
            pass  # `_closed` reports the close code
        raise self._closed("before it was ready for audio")

    def _content(self, message: str | bytes) -> Message:
        try:
            content: Any = msgspec.json.decode(message)
        except msgspec.MsgspecError as error:
            problem = f"sent a message that isn't JSON ({error}): {message[:60]!r}"
            raise ProviderError(self.adapter.url, problem) from error
        if not isinstance(content, dict):
            return {}
        for kind in self.adapter.errors:
            if matches(content, kind.when):
                raise ProviderError(self.adapter.url, f"reported: {content.get(kind.text)!s:.300}")
        return content

    def _server_text(self, content: Message, kind: Text, *, is_final: bool) -> ServerText:
        named = content.get(kind.source) if kind.source else None
        source = self.adapter.source_of(named)
        t0, t1 = (content.get(name) if name else None for name in (kind.t0, kind.t1))
        return ServerText(source, named, is_final, content.get(kind.text), t0, t1)

    def _closed(self, when: str) -> ProviderError:
        code, reason = self._connection.close_code, self._connection.close_reason
        code_and_reason = f"{code} ({reason})" if reason else str(code)
        problem = f"closed the connection {when}, with {code_and_reason}"
        return ProviderError(self.adapter.url, problem)


async def _connected(adapter: Adapter) -> ClientConnection:
    token = os.environ.get(adapter.token_variable) if adapter.token_variable else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return await connect(
            adapter.url,
            additional_headers=headers,
            max_size=MAX_MESSAGE,
            close_timeout=CLOSE_S,
            proxy=None,
        )
    except InvalidStatus as error:
        problem = f"refused the connection ({error.response.status_code})"
        need = f"a token in {adapter.token_variable}" if adapter.token_variable else None
        raise UnavailableError(adapter.url, problem, need) from error
    except (OSError, WebSocketException) as error:
        problem = f"can't be reached ({error})"
        raise UnavailableError(adapter.url, problem, "the app's server, running") from error

"""The connection to an app's own server, as an adapter's file describes it."""

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

BIGGEST_MESSAGE = 1 << 22
CLOSE_S = 2.0
"""For the server to answer a goodbye."""


@dataclass(frozen=True)
class ServerText:
    """Text from the server, as it is; nothing in it has been checked."""

    source: AudioSource | None
    """None for a source that isn't known."""
    named: Any
    """What the server called it."""
    is_final: bool
    text: Any
    t0: Any
    """None where the server doesn't tell, as for the next."""
    t1: Any


class AppLink:
    """One session with the server; make it with `opened`."""

    def __init__(self, connection: ClientConnection, adapter: Adapter) -> None:
        self._connection, self.adapter = connection, adapter
        self._session = f"echobench-{uuid.uuid4().hex[:12]}"
        self.ended = False
        """Whether the end was sent."""

    @classmethod
    async def opened(cls, adapter: Adapter) -> "AppLink":
        """Connect, and wait until audio may be sent.

        Raises:
            UnavailableError: Nobody answers, or the server won't let us in.
            ProviderError: The server says that something is wrong, or closes.
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
        """Send a piece of audio; after the server has closed, nothing happens."""
        await self._send(self.adapter.frame(self._session, source, pcm))

    async def end(self) -> None:
        """Say that no audio follows."""
        self.ended = True
        await self._send(self.adapter.last(self._session))

    async def texts(self) -> AsyncIterator[ServerText]:
        """What the server says, to its end.

        Raises:
            ProviderError: It says that something is wrong, sends what can't be read, or closes
                while audio goes on.
        """
        try:
            async for message in self._connection:
                content = self._content(message)
                for kind, is_final in ((self.adapter.partial, False), (self.adapter.final, True)):
                    if kind is not None and matches(content, kind.when):
                        yield self._heard(content, kind, is_final=is_final)
                if matches(content, self.adapter.done):
                    return
        except ConnectionClosed:
            pass  # its code says more
        if not self.ended:
            raise self._closed("while audio went on")

    async def close(self) -> None:
        """Let go of the connection."""
        await self._connection.close()

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed:
            return  # `texts` tells

    async def _until_ready(self) -> None:
        try:
            async for message in self._connection:
                if matches(self._content(message), self.adapter.ready):
                    return
        except ConnectionClosed:
            pass  # its code says more
        raise self._closed("before it was ready for audio")

    def _content(self, message: str | bytes) -> Message:
        try:
            content: Any = msgspec.json.decode(message)
        except msgspec.MsgspecError as error:
            problem = f"sent what is no JSON ({error}): {message[:60]!r}"
            raise ProviderError(self.adapter.url, problem) from error
        if not isinstance(content, dict):
            return {}
        for kind in self.adapter.errors:
            if matches(content, kind.when):
                raise ProviderError(self.adapter.url, f"said: {content.get(kind.text)!s:.300}")
        return content

    def _heard(self, content: Message, kind: Text, *, is_final: bool) -> ServerText:
        named = content.get(kind.source) if kind.source else None
        source = self.adapter.source_of(named)
        t0, t1 = (content.get(name) if name else None for name in (kind.t0, kind.t1))
        return ServerText(source, named, is_final, content.get(kind.text), t0, t1)

    def _closed(self, when: str) -> ProviderError:
        code, reason = self._connection.close_code, self._connection.close_reason
        told = f"{code} ({reason})" if reason else str(code)
        return ProviderError(self.adapter.url, f"closed the connection {when}, with {told}")


async def _connected(adapter: Adapter) -> ClientConnection:
    token = os.environ.get(adapter.token_variable) if adapter.token_variable else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return await connect(
            adapter.url,
            additional_headers=headers,
            max_size=BIGGEST_MESSAGE,
            close_timeout=CLOSE_S,
            proxy=None,
        )
    except InvalidStatus as error:
        problem = f"does not let us in ({error.response.status_code})"
        need = f"a token in {adapter.token_variable}" if adapter.token_variable else None
        raise UnavailableError(adapter.url, problem, need) from error
    except (OSError, WebSocketException) as error:
        problem = f"nobody answers ({error})"
        raise UnavailableError(adapter.url, problem, "the app's server, running") from error

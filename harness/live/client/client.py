"""Connects to a live server, sends audio of its sources, and reads the messages."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from itertools import count

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from harness.audio import SAMPLE_RATE_HZ, Pcm16
from harness.clock import now_s, sleep_until
from harness.contract import AudioSource
from harness.errors import EchobenchError, ProviderError, UnavailableError, UsageError
from harness.live.protocol.close_codes import Close
from harness.live.protocol.frames import pack
from harness.live.protocol.messages import End, Failed, FromClient, FromServer, Start, from_server
from harness.session.source import Lateness

MAX_MESSAGE_BYTES = 1 << 22
"""Far more than the server's longest message, a final with all its words."""
OPEN_S = 10.0
FRAME = SAMPLE_RATE_HZ // 10
"""Samples per frame."""


class LiveClient:
    """A connection to a live server.

    Args:
        connection: The open connection.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._sequences: dict[AudioSource, count[int]] = {}

    async def start(
        self,
        sources: Sequence[AudioSource],
        session: str | None = None,
        chunk_seconds: float | None = None,
    ) -> None:
        """Ask for a session; audio may be sent after `Ready`."""
        self._sequences = {source: count() for source in sources}
        await self._send_message(
            Start(
                protocol=1,
                sources=tuple(sources),
                session=session,
                chunk_seconds=chunk_seconds,
            )
        )

    async def send(self, source: AudioSource, captured_s: float, pcm: Pcm16) -> None:
        """Send a frame of audio.

        Args:
            source: The audio's source.
            captured_s: When its last sample was captured, on a steady clock.
            pcm: int16, shape (n,), 16 kHz.
        """
        await self._send(pack(source, next(self._sequences[source]), captured_s, pcm))

    def lost(self, source: AudioSource) -> None:
        """Skip the sequence number of a frame that was lost before it could be sent."""
        next(self._sequences[source])

    async def end(self, source: AudioSource) -> None:
        """Tell the server that a source has ended."""
        await self._send_message(End(source=source))

    async def play(
        self, source: AudioSource, pcm: Pcm16, begin_s: float, rate_hz: float = SAMPLE_RATE_HZ
    ) -> Lateness:
        """Send audio in real time, each frame as its last sample is captured, and end the source.

        Args:
            source: The audio's source.
            pcm: int16, shape (n,), 16 kHz.
            begin_s: When its first sample is captured, on the running clock.
            rate_hz: Samples that the source captures per second of that clock.

        Returns:
            How late the frames were.
        """
        lateness = Lateness()
        for at in range(0, len(pcm), FRAME):
            frame = pcm[at : at + FRAME]
            captured_s = begin_s + (at + len(frame)) / rate_hz
            await sleep_until(captured_s)
            lateness.note(now_s() - captured_s)
            await self.send(source, captured_s, frame)
        await self.end(source)
        return lateness

    async def messages(self) -> AsyncIterator[FromServer]:
        """Yield the server's messages until the connection ends.

        Raises:
            ProviderError: The server's provider failed.
            UsageError: The server refused the session or a message, or is full.
            UnavailableError: The connection broke.
        """
        failed: Failed | None = None
        try:
            async for message in self._connection:
                decoded = from_server(message)
                if isinstance(decoded, Failed):
                    failed = decoded
                yield decoded
        except ConnectionClosed:
            pass  # the close code says more than the exception
        except msgspec.MsgspecError as error:
            raise ProviderError("live server", f"sent an invalid message ({error})") from error
        self._check(failed)

    def _check(self, failed: Failed | None) -> None:
        """Raise the error that the connection's close code stands for, if it does."""
        code, reason = self._connection.close_code, self._connection.close_reason
        if code == Close.DONE:
            return
        problem = failed.message if failed else f"closed with {code} ({reason or 'no reason'})"
        if code == Close.PROVIDER_FAILED:
            raise ProviderError("live server", problem)
        if code is not None and code in tuple(Close):
            raise UsageError("live server", problem)
        raise UnavailableError("live server", f"the connection broke: {problem}")

    async def _send_message(self, message: FromClient) -> None:
        await self._send(msgspec.json.encode(message).decode())

    async def _send(self, message: str | bytes) -> None:
        with contextlib.suppress(ConnectionClosed):  # `messages` raises the reason
            await self._connection.send(message)


@contextlib.asynccontextmanager
async def connected(url: str, token: str | None = None) -> AsyncIterator[LiveClient]:
    """Connect to a live server.

    Raises:
        UsageError: The address is invalid, or the server refused the connection.
        UnavailableError: No server answers.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection = await connect(
            url,
            additional_headers=headers,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=OPEN_S,
            proxy=None,
        )
    except InvalidStatus as error:
        raise _refused(url, error) from error
    except (OSError, TimeoutError) as error:
        problem = f"no answer ({error or type(error).__name__})"
        raise UnavailableError(url, problem, "`echobench live serve` there") from error
    except (WebSocketException, ValueError) as error:
        raise UsageError(url, f"can't be connected to ({error})", "ws://HOST:PORT/live") from error
    try:
        yield LiveClient(connection)
    finally:
        await connection.close()


def _refused(url: str, error: InvalidStatus) -> EchobenchError:
    response = error.response
    reason = (response.body or b"").decode(errors="replace").strip()
    return UsageError(url, f"refused the connection: {response.status_code}, {reason[:200]}")

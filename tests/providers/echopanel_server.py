"""A server on this machine that speaks EchoPanel's protocol, and can be made to break it.

Protocol after the project's public source: `start`, a status "streaming", audio as Base64 in JSON
or as bare PCM of the source "system", `asr_partial` and `asr_final`, and at `stop` a
`final_summary`, after which it closes.
"""

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from websockets.asyncio.server import ServerConnection, serve

from tests.ladder.numbers import STEP


@dataclass
class EchoPanel:
    """What the server does, and what it was sent."""

    fault: str = ""
    token: str = ""
    port: int = 0
    started: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[str, int] = field(default_factory=dict)
    bytes_received: int = 0

    async def handle(self, connection: ServerConnection) -> None:
        """Serve one app."""
        assert connection.request is not None
        if self.token and connection.request.headers.get("Authorization") != f"Bearer {self.token}":
            await say(connection, type="status", state="error", message="Unauthorized")
            await connection.close(1008)
            return
        await say(connection, type="status", state="connected", message="waiting for start")
        heard: dict[str, list[int]] = {}
        async for message in connection:
            self.bytes_received += len(message)
            if isinstance(message, bytes):
                await self._hear(connection, heard, "system", message)
                continue
            content = json.loads(message)
            match content["type"]:
                case "start":
                    if not await self._start(connection, content):
                        return
                case "audio":
                    pcm = base64.b64decode(content["data"], validate=True)
                    await self._hear(connection, heard, content["source"], pcm)
                case "stop":
                    await self._stop(connection, heard)
                    return

    async def _start(self, connection: ServerConnection, content: dict[str, Any]) -> bool:
        self.started.append(content)
        if self.fault == "never_ready":
            await connection.wait_closed()
        if self.fault == "full":
            await say(connection, type="status", state="error", message="Server at capacity")
            await connection.close()
            return False
        if (content["sample_rate"], content["format"]) != (16_000, "pcm_s16le"):
            await say(connection, type="error", message="Unsupported audio format")
            await connection.close()
            return False
        await say(connection, type="status", state="streaming", message="Streaming")
        return True

    async def _hear(
        self, connection: ServerConnection, heard: dict[str, list[int]], source: str, pcm: bytes
    ) -> None:
        before = self.samples.get(source, 0)
        self.samples[source] = before + len(pcm) // 2
        if self.fault == "drops" and self.samples[source] > 32_000:
            connection.transport.abort()
        if self.fault == "garbage" and self.samples[source] > 32_000:
            await connection.send("<html>")
        if self.fault == "other_source":
            source = "desk"
        numbers = heard.setdefault(source, [])
        numbers += [
            n for n in dict.fromkeys(np.frombuffer(pcm, "<i2").tolist()) if n not in numbers
        ]
        t1 = self.samples.get(source, 0) / 16_000
        await say(connection, type="metrics", source=source, realtime_factor=0.1)
        if len(numbers) > 4 and self.samples.get(source, 0) // STEP > before // STEP:
            await self._final(connection, source, numbers[:4], t1)
            del numbers[:4]
        text = " ".join(map(str, numbers))
        await say(connection, type="asr_partial", source=source, text=text, t0=t1 - 0.1, t1=t1,
                  stable=False, confidence=0.6)  # fmt: skip

    async def _stop(self, connection: ServerConnection, heard: dict[str, list[int]]) -> None:
        for source, numbers in heard.items():
            await self._final(connection, source, numbers, self.samples.get(source, 0) / 16_000)
        if self.fault == "never_done":
            await connection.wait_closed()
        await say(connection, type="final_summary", markdown="", json={})
        await connection.close()

    async def _final(
        self, connection: ServerConnection, source: str, numbers: list[int], t1: float
    ) -> None:
        text = " ".join(map(str, numbers))
        if text:
            await say(connection, type="asr_final", source=source, text=text, t0=max(0, t1 - 2),
                      t1=t1, stable=True, confidence=0.9)  # fmt: skip


async def say(connection: ServerConnection, **message: Any) -> None:
    """Send JSON."""
    await connection.send(json.dumps(message))


@contextlib.asynccontextmanager
async def echopanel(fault: str = "", token: str = "") -> AsyncIterator[EchoPanel]:
    """Serve on a free port of this machine."""
    panel = EchoPanel(fault, token)
    async with serve(panel.handle, "127.0.0.1", 0) as server:
        panel.port = next(iter(server.sockets)).getsockname()[1]
        yield panel

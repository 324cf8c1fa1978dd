"""How loopback services answer, and what they do wrong at it, whatever the protocol."""

import asyncio
import io
import json
import re
import wave
from collections.abc import Coroutine, Sequence
from email.message import EmailMessage
from typing import Any, ClassVar, Self

from aiohttp import WSCloseCode, web

from tests.vendors.lanes import DRIP_S, Counts

HUGE = 2 << 20
"""Bytes of a message that no client should swallow."""
FOR_EVER_S = 100_000.0

Event = dict[str, Any]


class WebSocketAnswers:
    """One connection; a subclass puts the faults into its protocol's words."""

    delta: ClassVar[Event]
    odd: ClassVar[Event]
    error: ClassVar[Event]

    def __init__(self, request: web.Request, counts: Counts) -> None:
        self.socket = web.WebSocketResponse(max_msg_size=16 << 20, compress=False)
        self._request, self._counts = request, counts
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        if self._counts.lane.stall == "answer":
            await asyncio.sleep(FOR_EVER_S)
        await self.socket.prepare(self._request)
        self._counts.open += 1
        self._counts.most_open = max(self._counts.most_open, self._counts.open)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._counts.open -= 1
        for task in self._tasks:
            task.cancel()

    def failed(self, item: str) -> Event:
        """What is said when an item can't be recognised."""
        return self.error

    async def begin(self, event: Event) -> None:
        """Say the first thing of all."""
        if self._counts.lane.stall == "created":
            await asyncio.sleep(FOR_EVER_S)
        await self.say(event)

    async def say(self, event: Event) -> None:
        """Send an event; nobody may be there any more."""
        if not self.socket.closed:
            await self.socket.send_str(json.dumps(event))

    def later(self, saying: Coroutine[Any, Any, None]) -> None:
        """Let something be said in its own time."""
        task = asyncio.ensure_future(saying)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def in_the_middle(self, trick: str) -> None:
        """What goes wrong while audio comes in."""
        if trick == "breaks" and self._request.transport is not None:
            self._request.transport.abort()
        elif trick == "closes":
            await self.socket.close(code=WSCloseCode.SERVICE_RESTART, message=b"restarting")
        elif trick == "deaf":
            await asyncio.sleep(FOR_EVER_S)

    async def in_the_end(self, trick: str, item: str) -> bool:
        """What goes wrong in place of the last word on an utterance; whether something did."""
        match trick:
            case "stalls":
                pass
            case "drips":
                self.later(self._drip())
            case "garbage":
                await self.socket.send_str('{"type": "transcri')
            case "binary":
                await self.socket.send_bytes(b"\xff\xfe\x00\x80")
            case "huge":
                await self.socket.send_str(json.dumps({**self.delta, "event_id": "x" * HUGE}))
            case "odd_types":
                await self.say(self.odd)
            case "bare":
                await self.say({"type": self.odd["type"]})
            case "error":
                await self.say(self.error)
            case "failed":
                await self.say(self.failed(item))
            case _:
                return False
        return True

    async def at_the_end(self, trick: str) -> None:
        """What goes wrong when an utterance has been answered and nobody speaks."""
        if trick == "leaves":
            await self.socket.close(code=WSCloseCode.GOING_AWAY, message=b"idle for too long")

    async def _drip(self) -> None:
        while True:
            await self.say(self.delta)
            await asyncio.sleep(DRIP_S)


async def read_wav(request: web.Request) -> tuple[dict[str, str], bytes, int]:
    """Take an upload apart: its fields, the PCM of its WAV file, and the rate.

    By hand, because aiohttp's reader calls what is deprecated when a boundary is cut in two.
    """
    head = EmailMessage()
    head["Content-Type"] = request.headers["Content-Type"]
    boundary = b"--" + str(head.get_boundary()).encode()
    fields, content = {}, b""
    for part in (await request.read()).split(boundary)[1:-1]:
        about, _, value = part.removesuffix(b"\r\n").partition(b"\r\n\r\n")
        named = re.search(rb'\bname="([^"]*)"', about)
        assert named is not None
        if b"filename=" in about:
            content = value
        else:
            fields[named[1].decode()] = value.decode()
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return fields, file.readframes(file.getnframes()), file.getframerate()


async def send_events(
    request: web.Request, trick: str, events: Sequence[Event], *, odd: Event, error: Event
) -> web.StreamResponse:
    """Answer with server-sent events, the last of which is the last word."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)

    async def send(text: str, kind: str = "") -> None:
        head = f"event: {kind}\n" if kind else ""
        await response.write(f"{head}data: {text}\n\n".encode())

    *deltas, done = events
    for event in deltas:
        await send(json.dumps(event), event.get("type", ""))
    match trick:
        case "breaks":
            assert request.transport is not None
            request.transport.abort()
            return response
        case "stalls" | "deaf":
            await asyncio.sleep(FOR_EVER_S)
        case "drips":
            while True:
                await response.write(b": still here\n\n")
                await asyncio.sleep(DRIP_S)
        case "garbage":
            await send('{"type": "transcri')
        case "binary":
            await response.write(b"data: \xff\xfe\n\n")
        case "huge":
            await send(json.dumps({**done, "text": "x" * HUGE}), done["type"])
        case "odd_types":
            await send(json.dumps(odd), odd["type"])
        case "bare":
            await send(json.dumps({"type": odd["type"]}), odd["type"])
        case "error" | "failed":
            await send(json.dumps(error), "error")
        case _:
            await send(json.dumps(done), done["type"])
    await response.write_eof()
    return response

"""Speaks OpenAI's transcription protocols: realtime over WebSocket, and files answered as SSE.

As in the API reference of 2026: a realtime session of type "transcription" takes 24 kHz PCM, is
committed by the client when turn detection is off, and answers each item with deltas and one
`completed`, which may overtake that of the item before.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from tests.vendors.answers import WebSocketAnswers, read_wav, send_events
from tests.vendors.ear import Ear
from tests.vendors.lanes import Counts

RATE_HZ = 24_000
MODELS = {"gpt-live-transcribe", "gpt-transcribe", "gpt-realtime-whisper"}
SHORTEST_COMMIT_S = 0.1
HELD_S = 10.0
"""Longer than it takes to say something else."""
PREFIX = "conversation.item.input_audio_transcription"

Event = dict[str, Any]


def refusal(status: int, code: str, message: str) -> Event:
    """The body of an error, as REST and events have it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "code": code, "param": None}}


class Conversation:
    """One realtime connection."""

    def __init__(
        self, answers: WebSocketAnswers, counts: Counts, lexicon: Mapping[float, str]
    ) -> None:
        self._answers, self._counts, self._lexicon = answers, counts, lexicon
        self._numbers = count(1)
        self._previous: str | None = None
        self._configured = False
        self._overtaken = asyncio.Event()
        self._begin()

    def _begin(self) -> None:
        self._ear = Ear(RATE_HZ, self._lexicon)
        self._item = f"item_{next(self._numbers):04}"
        self._words: list[str] = []
        self._trick: str | None = None

    async def take(self, event: Event) -> None:
        """Answer one event of the client."""
        match event:
            case {"type": "session.update", "session": session}:
                await self._configure(session)
            case {"type": "input_audio_buffer.append", "audio": audio} if self._configured:
                if self._trick is None:
                    self._trick = self._counts.trick()
                await self._deltas(self._ear.hear(base64.b64decode(audio, validate=True)))
                if self._ear.samples > 0.3 * RATE_HZ:
                    await self._answers.in_the_middle(self._trick)
            case {"type": "input_audio_buffer.commit"}:
                await self._commit()
            case {"type": "input_audio_buffer.clear"}:
                self._begin()
            case _:
                await self._error("unknown_event", f"can't be used now: {event.get('type')}")

    async def _configure(self, session: Event) -> None:
        audio = session.get("audio", {}).get("input", {})
        model = audio.get("transcription", {}).get("model")
        if session.get("type") != "transcription":
            await self._error("invalid_value", "session.type must be transcription")
        elif audio.get("format") != {"type": "audio/pcm", "rate": RATE_HZ}:
            await self._error("invalid_value", "only PCM at 24000 Hz")
        elif model not in MODELS:
            await self._error("model_not_found", f"The model {model!r} does not exist")
        elif audio.get("turn_detection", "default") is not None:
            await self._error("invalid_value", "turn_detection must be null")
        else:
            self._configured = True
            await self._say({"type": "session.updated", "session": session})

    async def _commit(self) -> None:
        if self._ear.samples < SHORTEST_COMMIT_S * RATE_HZ:
            problem = "buffer too small, expected at least 100ms of audio"
            await self._error("input_audio_buffer_commit_empty", problem)
            return
        item, trick = self._item, self._trick or ""
        committed = {"item_id": item, "previous_item_id": self._previous}
        await self._say({"type": "input_audio_buffer.committed", **committed})
        await self._deltas(self._ear.finish())
        self._previous = item
        text = " ".join(self._words)
        self._begin()
        if trick == "late_first":
            self._overtaken.clear()
            self._answers.later(self._complete_when_overtaken(item, text))
        elif not await self._answers.in_the_end(trick, item):
            await self._complete(item, text)
            self._overtaken.set()
            await self._answers.at_the_end(trick)

    async def _complete_when_overtaken(self, item: str, text: str) -> None:
        try:
            async with asyncio.timeout(HELD_S):
                await self._overtaken.wait()
                self._counts.overtaken += 1
        except TimeoutError:
            pass  # nobody came
        await self._complete(item, text)

    async def _complete(self, item: str, text: str) -> None:
        usage = {"type": "duration", "seconds": 1}
        await self._say({"type": f"{PREFIX}.completed", "item_id": item, "content_index": 0,
                         "transcript": text, "usage": usage})  # fmt: skip

    async def _deltas(self, words: Any) -> None:
        for word in words:
            delta = f" {word}" if self._words else word
            self._words.append(word)
            await self._say(
                {"type": f"{PREFIX}.delta", "item_id": self._item, "content_index": 0,
                 "delta": delta}
            )  # fmt: skip

    async def _error(self, code: str, message: str) -> None:
        await self._say({"type": "error", **refusal(400, code, message)})

    async def _say(self, event: Event) -> None:
        await self._answers.say({"event_id": f"event_{next(self._numbers)}", **event})


class OpenAiAnswers(WebSocketAnswers):
    """What goes wrong, in this protocol's words."""

    delta: ClassVar[Event] = {"type": f"{PREFIX}.delta", "item_id": "item_0001", "delta": " and"}
    odd: ClassVar[Event] = {
        "type": f"{PREFIX}.completed",
        "item_id": 7,
        "transcript": {"text": ["no"]},
    }
    error: ClassVar[Event] = {
        "type": "error",
        **refusal(500, "server_error", "The server had an error"),
    }

    def failed(self, item: str) -> Event:
        """The failure of an item."""
        error = refusal(500, "audio_unintelligible", "The audio could not be transcribed")
        return {"type": f"{PREFIX}.failed", "item_id": item, "content_index": 0, **error}


async def realtime(request: web.Request, counts: Counts, lexicon: Mapping[float, str]) -> Any:
    """`GET /v1/realtime?intent=transcription`."""
    if request.query.get("intent") != "transcription" or "model" in request.query:
        return web.json_response(refusal(400, "invalid_value", "intent"), status=400)
    async with OpenAiAnswers(request, counts) as answers:
        session = {"type": "transcription", "object": "realtime.session", "id": "sess_1"}
        await answers.begin({"type": "session.created", "event_id": "event_0", "session": session})
        conversation = Conversation(answers, counts, lexicon)
        async for message in answers.socket:
            if message.type is WSMsgType.TEXT:
                await conversation.take(json.loads(message.data))
    return answers.socket


async def transcribe(request: web.Request, counts: Counts, lexicon: Mapping[float, str]) -> Any:
    """`POST /v1/audio/transcriptions`."""
    form, pcm, rate_hz = await read_wav(request)
    if form.get("model") not in MODELS:
        body = refusal(404, "model_not_found", f"The model {form.get('model')!r} does not exist")
        return web.json_response(body, status=404)
    if form.get("stream") != "true":
        return web.json_response(refusal(400, "invalid_value", "stream"), status=400)
    ear = Ear(rate_hz, lexicon)
    words = [*ear.hear(pcm), *ear.finish()]
    deltas: list[Event] = [
        {"type": "transcript.text.delta", "delta": f" {word}" if at else word}
        for at, word in enumerate(words)
    ]
    done = {"type": "transcript.text.done", "text": " ".join(words)}
    odd = {"type": "transcript.text.done", "text": {"words": 3}}
    error = refusal(500, "server_error", "The server had an error")
    return await send_events(request, counts.trick(), [*deltas, done], odd=odd, error=error)

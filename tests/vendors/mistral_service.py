"""Speaks Mistral's transcription protocols: realtime over WebSocket, and files answered as SSE.

As the SDK's models and its issues have it: one connection is one stream of audio; `flush` brings
out what the model holds back, and only `end` is sure to be answered by `transcription.done`.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from tests.vendors.answers import WebSocketAnswers, read_wav, send_events
from tests.vendors.ear import Ear
from tests.vendors.lanes import Counts

RATES_HZ = (8000, 16_000, 22_050, 24_000, 44_100, 48_000)
MAX_AUDIO = 262_144
REALTIME_MODELS = {
    "voxtral-mini-transcribe-realtime-2602",
    "voxtral-mini-transcribe-realtime-3",
}
MODELS = {"voxtral-mini-latest", "voxtral-mini-2602"}

Event = dict[str, Any]


def done(model: str, text: str) -> Event:
    """The last word."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return {"type": "transcription.done", "model": model, "text": text, "usage": usage,
            "language": "en", "segments": []}  # fmt: skip


def refusal(code: int, message: str) -> Event:
    """An error event."""
    return {"type": "error", "error": {"message": message, "code": code}}


class Stream:
    """One realtime connection: one stream of audio."""

    def __init__(
        self, answers: WebSocketAnswers, counts: Counts, model: str, lexicon: Mapping[float, str]
    ) -> None:
        self._answers, self._counts, self._model = answers, counts, model
        self._lexicon = lexicon
        self._rate_hz = 16_000
        self._ear: Ear | None = None
        self._words: list[str] = []
        self._trick = ""

    async def take(self, event: Event) -> bool:
        """Answer one message of the client; whether the stream goes on."""
        match event:
            case {"type": "session.update", "session": session}:
                await self._configure(session)
            case {"type": "input_audio.append", "audio": audio}:
                await self._hear(base64.b64decode(audio, validate=True))
            case {"type": "input_audio.flush"}:
                if self._ear is not None:
                    await self._deltas(self._ear.finish())
            case {"type": "input_audio.end"}:
                if await self._answers.in_the_end(self._trick, ""):
                    return True
                await self._answers.say(done(self._model, "".join(self._words)))
                return False
            case _:
                await self._answers.say(refusal(3001, f"no such message: {event.get('type')}"))
        return True

    async def _configure(self, session: Event) -> None:
        audio = session.get("audio_format", {})
        self._rate_hz = audio.get("sample_rate", 0)
        if self._ear is not None:
            message = "Session fields cannot be changed after audio has started"
            await self._answers.say(refusal(3002, message))
        elif "language" in session and self._model.endswith("-2602"):
            await self._answers.say(refusal(3005, "language needs a Voxtral 3 realtime model"))
        elif audio.get("encoding") != "pcm_s16le" or self._rate_hz not in RATES_HZ:
            await self._answers.say(refusal(3003, f"audio_format {audio}"))
        else:
            await self._answers.say({"type": "session.updated", "session": self.session()})

    def session(self) -> Event:
        """How the session stands."""
        audio = {"encoding": "pcm_s16le", "sample_rate": self._rate_hz}
        return {"request_id": "request-1", "model": self._model, "audio_format": audio}

    async def _hear(self, pcm: bytes) -> None:
        if len(pcm) > MAX_AUDIO:
            await self._answers.say(refusal(3004, f"{len(pcm)} bytes of audio"))
            return
        if self._ear is None:
            self._ear, self._trick = Ear(self._rate_hz, self._lexicon), self._counts.trick()
        await self._deltas(self._ear.hear(pcm))
        if self._ear.samples > 0.3 * self._rate_hz:
            await self._answers.in_the_middle(self._trick)

    async def _deltas(self, words: Any) -> None:
        for word in words:
            text = f" {word}" if self._words else word
            self._words.append(text)
            await self._answers.say({"type": "transcription.text.delta", "text": text})


class MistralAnswers(WebSocketAnswers):
    """What goes wrong, in this protocol's words."""

    delta: ClassVar[Event] = {"type": "transcription.text.delta", "text": " and"}
    odd: ClassVar[Event] = {"type": "transcription.done", "text": {"words": 3}, "model": 7}
    error: ClassVar[Event] = refusal(
        3804, "Timeout waiting for response from streaming transcription."
    )


async def realtime(request: web.Request, counts: Counts, lexicon: Mapping[float, str]) -> Any:
    """`GET /v1/audio/transcriptions/realtime?model=`."""
    model = request.query.get("model", "")
    if model not in REALTIME_MODELS:
        return web.json_response({"message": f"Invalid model: {model}"}, status=400)
    async with MistralAnswers(request, counts) as answers:
        stream = Stream(answers, counts, model, lexicon)
        await answers.begin({"type": "session.created", "session": stream.session()})
        async for message in answers.socket:
            if message.type is WSMsgType.TEXT and not await stream.take(json.loads(message.data)):
                await answers.socket.close()
    return answers.socket


async def transcribe(request: web.Request, counts: Counts, lexicon: Mapping[float, str]) -> Any:
    """`POST /v1/audio/transcriptions`; the SDK's `stream_async` has `#stream` at its end."""
    form, pcm, rate_hz = await read_wav(request)
    model = form.get("model", "")
    if model not in MODELS:
        return web.json_response({"message": f"Invalid model: {model}"}, status=400)
    ear = Ear(rate_hz, lexicon)
    words = [*ear.hear(pcm), *ear.finish()]
    events: list[Event] = [{"type": "transcription.language", "audio_language": "en"}]
    events += [
        {"type": "transcription.text.delta", "text": f" {word}" if at else word}
        for at, word in enumerate(words)
    ]
    odd = {"type": "transcription.done", "text": {"words": 3}, "model": 7}
    events.append(done(model, " ".join(words)))
    error = {"object": "error", "message": "Internal error", "code": "3500"}
    return await send_events(request, counts.trick(), events, odd=odd, error=error)

"""OpenAI's transcription through its SDK: realtime over a WebSocket, or one request per utterance.

Realtime uses one connection per source: audio is sent as it is spoken, each utterance is committed
at its end, and answers are put in order by the items that they name.
"""

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

from harness.contract import SessionConfig
from harness.requirements import Package, SecretKey
from providers.services.base import ServiceProvider, ServiceSettings
from providers.services.connection import Answer, ServiceConnection, UploadConnection, checked_text
from providers.services.failures import (
    Kind,
    ServiceFailure,
    ServiceFailureError,
    message_of,
    of_code,
    refusal,
)
from providers.services.item_order import Items
from providers.services.resampling import Resampler

RATE_HZ = 24_000
"""The only sample rate that realtime sessions accept."""
SHORTEST_COMMIT = RATE_HZ // 10
"""Samples; the service rejects a commit of fewer."""
MAX_MESSAGE = 1 << 20
TAKE_SEVERAL_LANGUAGES = {"gpt-live-transcribe", "gpt-transcribe"}
"""Models that accept a list of languages; the others accept one."""
DEFAULT_MODELS = {"realtime": "gpt-live-transcribe", "file": "gpt-transcribe"}
TRANSCRIPTION = "conversation.item.input_audio_transcription"


class OpenAiApiSettings(ServiceSettings, frozen=True, kw_only=True):
    """Options of `openai_api`."""

    mode: Literal["realtime", "file"] = "realtime"
    """Send audio while it is spoken, or each utterance as a file at its end."""
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long a realtime model waits before it answers, for models with this option."""


class OpenAiApi(ServiceProvider):
    """A client of OpenAI's API, or of a server that speaks it."""

    name = "openai_api"
    Settings = OpenAiApiSettings
    settings: OpenAiApiSettings
    key_variable, url_variable = "OPENAI_API_KEY", "OPENAI_BASE_URL"
    requires = (
        Package("openai", extra="openai-api"),
        Package("websockets", extra="openai-api"),
        SecretKey(key_variable),
    )

    def __init__(self, settings: OpenAiApiSettings | None = None) -> None:
        super().__init__(settings)
        self.default_model = DEFAULT_MODELS[self.settings.mode]
        self.one_utterance = self.settings.mode == "file"

    def import_sdk(self) -> None:
        """See `ServiceProvider`."""
        import openai.resources.realtime  # noqa: F401
        import websockets.asyncio.client  # noqa: F401

    def make_client(self) -> Any:
        """See `ServiceProvider`."""
        from openai import AsyncOpenAI

        limit_s = self.settings.answer_s + self.settings.connect_s  # our own timeouts are shorter
        return AsyncOpenAI(api_key=self.key, base_url=self.base_url, max_retries=0, timeout=limit_s)

    async def close_client(self, client: Any) -> None:
        """See `ServiceProvider`."""
        await client.close()

    def sdk_failure(self, error: BaseException) -> ServiceFailure | None:
        """See `ServiceProvider`."""
        import openai

        match error:
            case openai.APIStatusError(response=response):
                return refusal(response.status_code, response.headers, error.body or response.text)
            case openai.APIResponseValidationError():
                return ServiceFailure(Kind.PROTOCOL_ERROR, message_of(error))
            case openai.APITimeoutError():
                return ServiceFailure(Kind.TIMEOUT, message_of(error))
            case openai.APIError() if code := error.code or error.type:
                return of_code(code, str(error))  # reported within a streamed answer
        return None

    async def dial(self, client: Any, config: SessionConfig) -> ServiceConnection:
        """See `ServiceProvider`."""
        if self.settings.mode == "file":
            return Upload(client, config.model, config.language)
        connection = await client.realtime.connect(
            extra_query={"intent": "transcription"},
            websocket_connection_options={"max_size": MAX_MESSAGE, "compression": None},
        ).enter()
        connection = Realtime(connection)
        try:
            await connection.configure(config.model, config.language, self.settings.delay)
        except BaseException:
            connection.abort()
            raise
        return connection


class Realtime(ServiceConnection):
    """A realtime session of type "transcription", without turn detection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._items = Items()
        self._texts: dict[int, str] = {}
        self._resampler = Resampler(RATE_HZ, SHORTEST_COMMIT)

    async def configure(self, model: str, language: str, delay: str | None) -> None:
        """Configure the session, and wait until the service confirms it."""
        transcription = {"model": model, **spoken_in(language, model)}
        if delay is not None:
            transcription["delay"] = delay
        audio = {
            "format": {"type": "audio/pcm", "rate": RATE_HZ},
            "transcription": transcription,
            "turn_detection": None,
        }
        session = {"type": "transcription", "audio": {"input": audio}}
        await self._connection.session.update(session=session)
        while (event := await self._event()).type != "session.updated":
            if event.type != "session.created":
                raise ServiceFailureError(
                    Kind.PROTOCOL_ERROR, f"{event.type!r} before session.updated"
                )

    async def send(self, pcm: bytes) -> None:
        """See `ServiceConnection`."""
        await self._append(self._resampler.piece(pcm))

    async def end_utterance(self) -> None:
        """See `ServiceConnection`."""
        await self._append(self._resampler.rest())
        await self._connection.input_audio_buffer.commit()

    async def _append(self, pcm: bytes) -> None:
        if pcm:
            audio = base64.b64encode(pcm).decode()
            await self._connection.input_audio_buffer.append(audio=audio)

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """See `ServiceConnection`."""
        while True:
            event = await self._event()
            if event.type == "input_audio_buffer.committed":
                self._items.committed(event.item_id, event.previous_item_id)
            elif event.type == f"{TRANSCRIPTION}.delta":
                number = self._items.number(event.item_id)
                text = checked_text(event.delta, self._texts.get(number, ""))
                self._texts[number] = text
                yield Answer(number, text)
            elif event.type == f"{TRANSCRIPTION}.completed":
                number = self._items.number(event.item_id)
                self._texts.pop(number, None)
                yield Answer(number, checked_text(event.transcript), is_final=True)

    async def _event(self) -> Any:
        """Return the next event; errors, and events without a type, are raised."""
        event = await self._connection.recv()
        kind = getattr(event, "type", None)
        if not isinstance(kind, str):
            raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"an event of type {kind!r}")
        if kind in ("error", f"{TRANSCRIPTION}.failed"):
            error = event.error
            raise ServiceFailureError.of(of_code(str(error.code or error.type), str(error.message)))
        return event

    async def close(self) -> None:
        """See `ServiceConnection`."""
        await self._connection.close()

    def abort(self) -> None:
        """See `ServiceConnection`; the SDK can't close without a handshake."""
        self._connection._connection.transport.abort()


class Upload(UploadConnection):
    """A file transcription whose answer is streamed."""

    def __init__(self, client: Any, model: str, language: str) -> None:
        super().__init__()
        self._client, self._model, self._language = client, model, language

    async def upload(self, wav: bytes) -> AsyncGenerator[Answer, None]:
        """See `UploadConnection`."""
        events = await self._client.audio.transcriptions.create(
            file=("utterance.wav", wav, "audio/wav"),
            model=self._model,
            stream=True,
            **spoken_in(self._language, self._model),
        )
        text = ""
        async with aclosing(events):
            async for event in events:
                if event.type == "transcript.text.delta":
                    text = checked_text(event.delta, text)
                    yield Answer(0, text)
                elif event.type == "transcript.text.done":
                    yield Answer(0, checked_text(event.text), is_final=True)


def spoken_in(language: str, model: str) -> dict[str, Any]:
    """Return the argument that names the language for a model."""
    several = model in TAKE_SEVERAL_LANGUAGES
    return {"languages": [language]} if several else {"language": language}


PROVIDER = OpenAiApi

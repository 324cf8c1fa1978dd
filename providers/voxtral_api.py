"""Mistral's Voxtral service through its SDK: realtime, or one request per utterance.

A realtime connection carries one audio stream, and only the stream's end is certain to return the
last words (a flush alone was seen to omit them). So each utterance gets its own connection, which
is opened when speech begins, while the audio is buffered.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from msgspec import Meta

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import SessionConfig
from harness.requirements import Package, SecretKey
from providers.services.base import ServiceProvider, ServiceSettings
from providers.services.connection import Answer, ServiceConnection, UploadConnection, checked_text
from providers.services.failures import (
    Kind,
    ServiceFailure,
    ServiceFailureError,
    of_code,
    one_line,
    refusal,
)

DEFAULT_MODELS = {"realtime": "voxtral-mini-transcribe-realtime-3", "file": "voxtral-mini-latest"}
WITHOUT_LANGUAGE = "-2602"
"""Realtime models with this suffix detect the language and accept no language option."""
NEWER_EVENT = "unknown event type"
"""The SDK's text for an event that it doesn't know yet, which is no error."""


class VoxtralApiSettings(ServiceSettings, frozen=True, kw_only=True):
    """Options of `voxtral_api`."""

    mode: Literal["realtime", "file"] = "realtime"
    """Send audio while it is spoken, or each utterance as a file at its end."""
    target_streaming_delay_ms: Annotated[int, Meta(ge=80, le=2400)] | None = None
    """How long a realtime model waits before it answers."""


class VoxtralApi(ServiceProvider):
    """A client of Mistral's API, or of a server that speaks it."""

    name = "voxtral_api"
    Settings = VoxtralApiSettings
    settings: VoxtralApiSettings
    key_variable = "MISTRAL_API_KEY"
    one_utterance = True
    requires = (
        Package("mistralai", extra="voxtral-api"),
        Package("websockets", extra="voxtral-api"),
        SecretKey(key_variable),
    )

    def __init__(self, settings: VoxtralApiSettings | None = None) -> None:
        super().__init__(settings)
        self.default_model = DEFAULT_MODELS[self.settings.mode]

    def import_sdk(self) -> None:
        """See `ServiceProvider`."""
        import mistralai.client.transcriptions
        import mistralai.extra.realtime  # noqa: F401

    def make_client(self) -> Any:
        """See `ServiceProvider`."""
        from mistralai.client import Mistral

        limit_s = self.settings.answer_s + self.settings.connect_s  # our own timeouts are shorter
        return Mistral(api_key=self.key, server_url=self.base_url, timeout_ms=round(limit_s * 1000))

    async def close_client(self, client: Any) -> None:
        """See `ServiceProvider`."""
        await client.__aexit__(None, None, None)
        client.__exit__(None, None, None)

    def sdk_failure(self, error: BaseException) -> ServiceFailure | None:
        """See `ServiceProvider`."""
        from mistralai.client.errors import MistralError, ResponseValidationError
        from mistralai.extra.exceptions import RealtimeTranscriptionWSError

        match error:
            case MistralError(status_code=status) if status >= 400:
                return refusal(status, error.headers, error.body)
            case ResponseValidationError(body=body):
                message = one_line(f"an answer that its SDK can't read: {body}")
                return ServiceFailure(Kind.PROTOCOL_ERROR, message)
            case RealtimeTranscriptionWSError(code=int(code)):
                return of_code(str(code), str(error))
        return None

    async def dial(self, client: Any, config: SessionConfig) -> ServiceConnection:
        """See `ServiceProvider`."""
        from mistralai.client.models import AudioFormat

        model, language = config.model, config.language
        if self.settings.mode == "file":
            return Upload(client, model, language)
        connection = await client.audio.realtime.connect(
            model,
            AudioFormat(encoding="pcm_s16le", sample_rate=SAMPLE_RATE_HZ),
            self.settings.target_streaming_delay_ms,
            timeout_ms=round(self.settings.connect_s * 1000),
            language=None if model.endswith(WITHOUT_LANGUAGE) else language,
        )
        return Realtime(connection)


class Realtime(ServiceConnection):
    """A realtime connection for one utterance."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, pcm: bytes) -> None:
        """See `ServiceConnection`."""
        await self._connection.send_audio(pcm)

    async def end_utterance(self) -> None:
        """See `ServiceConnection`."""
        await self._connection.flush_audio()
        await self._connection.end_audio()

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """See `ServiceConnection`; the SDK reports what it can't parse as an event with `error`."""
        text = ""
        async with aclosing(self._connection.events()) as events:
            async for event in events:
                problem: Any = getattr(event, "error", None)
                if isinstance(problem, str):
                    if problem != NEWER_EVENT:
                        raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"{event.type}: {problem}")
                elif event.type == "error":
                    raise ServiceFailureError.of(of_code(str(problem.code), str(problem.message)))
                elif event.type == "transcription.text.delta":
                    text = checked_text(event.text, text)
                    yield Answer(0, text)
                elif event.type == "transcription.done":
                    yield Answer(0, checked_text(event.text), is_final=True)

    async def close(self) -> None:
        """See `ServiceConnection`."""
        await self._connection.close()

    def abort(self) -> None:
        """See `ServiceConnection`; the SDK can't close without a handshake."""
        self._connection._websocket.transport.abort()


class Upload(UploadConnection):
    """A file transcription whose answer is streamed."""

    def __init__(self, client: Any, model: str, language: str) -> None:
        super().__init__()
        self._client, self._model, self._language = client, model, language

    async def upload(self, wav: bytes) -> AsyncGenerator[Answer, None]:
        """See `UploadConnection`."""
        text = ""
        async with await self._client.audio.transcriptions.stream_async(
            model=self._model,
            file={"file_name": "utterance.wav", "content": wav},
            language=self._language,
        ) as events:
            async for event in events:
                if event.event == "transcription.text.delta":
                    text = checked_text(getattr(event.data, "text", None), text)
                    yield Answer(0, text)
                elif event.event == "transcription.done":
                    done = checked_text(getattr(event.data, "text", None))
                    yield Answer(0, done, is_final=True)


PROVIDER = VoxtralApi

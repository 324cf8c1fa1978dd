"""The interface of a connection to a service, which each provider implements with an SDK."""

import io
import wave
from abc import ABC, abstractmethod
from asyncio import Event
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.provider.output_checks import MAX_TEXT
from providers.services.failures import Kind, ServiceFailureError


@dataclass(frozen=True)
class Answer:
    """A service's text of one utterance: all of it, not only what is new."""

    utterance: int
    """The utterance's number on this connection, from 0."""
    text: str
    is_final: bool = False


class ServiceConnection(ABC):
    """One connection or request that is ready for audio; a new one replaces it when it breaks.

    Its methods raise the SDK's exceptions; a protocol violation is a `ServiceFailureError`.
    """

    @abstractmethod
    async def send(self, pcm: bytes) -> None:
        """Send audio of the open utterance, as the project's PCM."""

    @abstractmethod
    async def end_utterance(self) -> None:
        """Send the end of the utterance."""

    @abstractmethod
    def answers(self) -> AsyncGenerator[Answer, None]:
        """Yield the service's answers until it closes the connection."""

    async def close(self) -> None:  # noqa: B027  (a request has nothing to close)
        """Close the connection with a handshake."""

    def abort(self) -> None:  # noqa: B027  (a request ends when its task is cancelled)
        """Close the connection at once."""


class UploadConnection(ServiceConnection):
    """One request with one whole utterance, whose answer is streamed."""

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._over = Event()

    async def send(self, pcm: bytes) -> None:
        """See `ServiceConnection`."""
        self._pcm += pcm

    async def end_utterance(self) -> None:
        """See `ServiceConnection`."""
        self._over.set()

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """See `ServiceConnection`."""
        await self._over.wait()
        async with aclosing(self.upload(wav_of(self._pcm))) as answers:
            async for answer in answers:
                yield answer

    @abstractmethod
    def upload(self, wav: bytes) -> AsyncGenerator[Answer, None]:
        """Make the request, and yield the answers."""


def wav_of(pcm: bytes | bytearray) -> bytes:
    """Return a WAV file of the project's PCM.

    >>> len(wav_of(bytes(320)))
    364
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(BYTES_PER_SAMPLE)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes(pcm)
    return file.getvalue()


def checked_text(text: object, before: str = "") -> str:
    """Append a text from a service to the text before it; SDKs don't validate it.

    Raises:
        ServiceFailureError: It isn't text, or the result is longer than any speech.

    >>> checked_text(" door", "open the")
    'open the door'
    """
    if not isinstance(text, str):
        raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"a text of type {type(text).__name__}")
    if len(before) + len(text) > MAX_TEXT:
        problem = f"a text of {len(before) + len(text)} characters, at most {MAX_TEXT}"
        raise ServiceFailureError(Kind.PROTOCOL_ERROR, problem)
    return before + text

"""A connection to a service through its vendor's SDK: what is said into it, and what comes back."""

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
    """What a service says about an utterance: all of it, not what is new."""

    utterance: int
    """Which one, counted from 0 over those that this connection was given."""
    text: str
    is_final: bool = False


class ServiceConnection(ABC):
    """One connection, or one request; it is made when it is ready, and made anew when it breaks.

    Its methods raise whatever the SDK raises; a broken protocol is a `ServiceFailureError`.
    """

    @abstractmethod
    async def send(self, pcm: bytes) -> None:
        """Send audio of the utterance that is open: the project's PCM."""

    @abstractmethod
    async def end_utterance(self) -> None:
        """Say that the utterance is over."""

    @abstractmethod
    def answers(self) -> AsyncGenerator[Answer, None]:
        """Everything that the service says, until it closes the connection."""

    async def close(self) -> None:  # noqa: B027  (a request has nothing to close)
        """Say goodbye."""

    def abort(self) -> None:  # noqa: B027  (a request ends with whoever waits for it)
        """Let go at once."""


class UploadConnection(ServiceConnection):
    """One request with one whole utterance, whose answer is streamed; a subclass makes it."""

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
        """Make the request, and read the answer."""


def wav_of(pcm: bytes | bytearray) -> bytes:
    """A WAV file of the project's PCM.

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
    """Return a text that a service sent, behind what came before; SDKs don't look at it.

    Raises:
        ServiceFailureError: It is no text, or longer than anyone talks.

    >>> checked_text(" door", "open the")
    'open the door'
    """
    if not isinstance(text, str):
        raise ServiceFailureError(Kind.PROTOCOL_ERROR, f"a text of type {type(text).__name__}")
    if len(before) + len(text) > MAX_TEXT:
        problem = f"a text of {len(before) + len(text)} characters, at most {MAX_TEXT}"
        raise ServiceFailureError(Kind.PROTOCOL_ERROR, problem)
    return before + text

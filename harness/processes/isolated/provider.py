"""The near side of a provider that lives in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec

from harness.clock import ClockKind
from harness.contract import ASRHealth, ASRProvider, ASRSegment, AudioSource, Option, SessionConfig
from harness.errors import AudioError, BadOutputError, EchobenchError, ProviderError
from harness.processes.calls import Answer, Failure, encode, error_of
from harness.processes.isolated.messages import Chunk, Inference, Interrupting, Segment, WantChunk
from harness.processes.isolated.process import HostProcess
from harness.provider.attribution import provider_errors
from harness.requirements import Requirement

T = TypeVar("T")


class OutOfProcessProvider(ASRProvider):
    """A provider in a child process; a process that died is started anew by the next session.

    Args:
        provider: The provider, made here only to be asked what it is; it loads nothing.
        settings: What it was made with, to be made with again over there.
    """

    name = "isolated"  # until it is made
    clocks = frozenset({ClockKind.WALL})

    def __init__(self, provider: ASRProvider, settings: dict[str, Option]) -> None:
        super().__init__(provider.settings)
        self.name = provider.name  # type: ignore[misc]
        self.inner, self._given = provider, settings
        self._far: HostProcess | None = None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return self.inner.requires

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts the process, unless it is running."""
        if self._far is None or self._far.failure is not None:
            await self.close()
            self._far = HostProcess(self.inner.name)
            self._far.on_event = self._happened
        await self._far.call("make", self.inner.name, self._given)
        return bool(await self._far.call("start_session", session_id, config))

    def _happened(self, message: Inference | Interrupting) -> None:
        if isinstance(message, Inference):
            self.on_inference(message.span)
        else:
            self.on_interruption(message.what)

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        far = self._running()
        stream, inbox = far.open_stream(sample_rate, source)
        feeding: asyncio.Task[None] | None = None
        trouble: list[EchobenchError] = []
        try:
            while True:
                match await inbox.get():
                    case Segment(segment=segment):
                        yield segment
                    case WantChunk():
                        feeding = asyncio.create_task(_feed(far, stream, pcm_stream, trouble))
                    case Answer(failure=Failure() as failure):
                        raise error_of(failure, self.name)
                    case Answer():
                        if trouble:
                            raise trouble[0]
                        return
                    case error:
                        raise error
        finally:
            if feeding is not None:
                feeding.cancel()
            await far.leave_stream(stream, inbox)

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        return await self._call("flush", list[ASRSegment], source)

    async def health(self) -> ASRHealth:
        """See `ASRProvider`."""
        return await self._call("health", ASRHealth)

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        await self._running().call("stop_session", session_id)

    async def close(self) -> None:
        """See `ASRProvider`; ends the process, and all that it started."""
        if self._far is not None:
            await self._far.close()
            self._far = None

    async def _call(self, method: str, kind: type[T], *arguments: Any) -> T:
        answer = await self._running().call(method, *arguments)
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            problem = f"answered a call of {method} with what is no answer to it ({error})"
            raise BadOutputError(self.name, problem) from error

    def _running(self) -> HostProcess:
        if self._far is None:
            raise ProviderError(self.inner.name, "no session was started", "start_session first")
        return self._far


async def _feed(
    far: HostProcess, stream: int, pcm_stream: AsyncIterator[bytes], trouble: list[EchobenchError]
) -> None:
    """Bring the chunk that the far side has asked for; after trouble, the end, and it is told."""
    try:
        with provider_errors("audio"):
            pcm = await anext(pcm_stream, None)
        if not isinstance(pcm, bytes | None):
            raise AudioError("audio", type(pcm).__name__, "bytes of 16-bit mono PCM")
        far.send(encode(Chunk(stream, pcm)))
    except EchobenchError as error:
        trouble.append(error)
        far.send(encode(Chunk(stream, None)))

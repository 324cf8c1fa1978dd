"""The near side of a provider that lives in a process of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from harness.clock import ClockKind
from harness.contract import (
    NULL_OBSERVER,
    ASRHealth,
    ASRProvider,
    ASRSegment,
    AudioSource,
    Option,
    SessionConfig,
)
from harness.errors import AudioError, EchobenchError, ProviderError
from harness.processes.isolated.messages import (
    AskHealth,
    CancelStream,
    Chunk,
    Flush,
    Inference,
    Interrupting,
    Make,
    OpenStream,
    Segment,
    StartSession,
    StopSession,
    StreamDone,
    WantChunk,
    raised,
)
from harness.processes.isolated.process import HostProcess
from harness.provider.attribution import provider_errors
from harness.requirements import Requirement

CANCEL_TIMEOUT_S = 5.0
"""For the far side to let go of a stream that was left."""


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
        self._observer = NULL_OBSERVER

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return self.inner.requires

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts the process, unless it is running."""
        if self._far is None or self._far.ended:
            await self.close()
            self._far = await HostProcess.start(self.inner.name)
            self._far.on_event = self._happened
            self._far.send(Make(self.inner.name, self._given))
        plain = msgspec.structs.replace(config, observer=NULL_OBSERVER)
        previous, self._observer = self._observer, config.observer
        started = bool(await self._far.ask(StartSession(self._far.number(), session_id, plain)))
        if not started:
            self._observer = previous  # of the session that goes on
        return started

    def _happened(self, message: Inference | Interrupting) -> None:
        if isinstance(message, Inference):
            self._observer.inferred(message.span)
        else:
            self._observer.interrupted(message.what)

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        far = self._running()
        stream = far.number()
        inbox = far.open(stream)
        far.send(OpenStream(stream, sample_rate, source))
        feeding: asyncio.Task[None] | None = None
        trouble: list[EchobenchError] = []
        done = False
        try:
            while True:
                message = await inbox.get()
                if isinstance(message, Segment):
                    yield message.segment
                elif isinstance(message, WantChunk):
                    feeding = asyncio.create_task(_feed(far, stream, pcm_stream, trouble))
                elif isinstance(message, StreamDone):
                    done = True
                    if message.error is not None:
                        raise raised(message.error)
                    if trouble:
                        raise trouble[0]
                    return
                elif isinstance(message, EchobenchError):
                    done = True
                    raise message
        finally:
            if feeding is not None:
                feeding.cancel()
            if not done and not far.ended:
                far.send(CancelStream(stream))
                with contextlib.suppress(TimeoutError):
                    await far.until_done(inbox, CANCEL_TIMEOUT_S)
            far.forget(stream)

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        far = self._running()
        finals = await far.ask(Flush(far.number(), source))
        return finals if isinstance(finals, list) else []

    async def health(self) -> ASRHealth:
        """See `ASRProvider`."""
        far = self._running()
        health = await far.ask(AskHealth(far.number()))
        if not isinstance(health, ASRHealth):
            raise ProviderError(self.inner.name, f"said {health!r} of its health")
        return health

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        far = self._running()
        await far.ask(StopSession(far.number(), session_id))

    async def close(self) -> None:
        """See `ASRProvider`; ends the process, and all that it started."""
        if self._far is not None:
            await self._far.end()
            self._far = None

    def _running(self) -> "HostProcess":
        if self._far is None:
            raise ProviderError(self.inner.name, "no session was started", "start_session first")
        if self._far.failure is not None:
            raise self._far.failure
        return self._far


async def _feed(
    far: "HostProcess", stream: int, pcm_stream: AsyncIterator[bytes], trouble: list[EchobenchError]
) -> None:
    """Bring the chunk that the far side has asked for; after trouble, the end, and it is told."""
    try:
        with provider_errors("audio"):
            pcm = await anext(pcm_stream, None)
        if not isinstance(pcm, bytes | None):
            raise AudioError("audio", type(pcm).__name__, "bytes of 16-bit mono PCM")
        far.send(Chunk(stream, pcm))
    except EchobenchError as error:
        trouble.append(error)
        far.send(Chunk(stream, None))

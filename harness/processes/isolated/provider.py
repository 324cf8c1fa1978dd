"""The near side of a provider that lives in a process of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from harness.clock import ClockKind
from harness.contract import (
    NULL_OBSERVER,
    ASRHealth,
    ASRProvider,
    ASRSegment,
    AudioSource,
    InferenceSpan,
    Interruption,
    Option,
    SessionConfig,
)
from harness.errors import AudioError, BadOutputError, EchobenchError, ProviderError
from harness.processes.called_process import CalledProcess, tell
from harness.processes.calls import Answer, Call
from harness.provider.attribution import provider_errors
from harness.requirements import Requirement

CANCEL_TIMEOUT_S = 5.0
"""For the provider to let go of a stream that was left."""
ANSWERS: dict[str, Any] = {
    "health": ASRHealth,
    "flush": list[ASRSegment],
    "next_segment": ASRSegment | None,
}
"""What calls return; other answers are taken as they come."""
EVENTS = {"inferred": InferenceSpan, "interrupted": Interruption}
"""What the provider tells without being asked."""


class HostProcess(CalledProcess):
    """The child; it has made nothing yet.

    Args:
        name: The provider's name, for messages.
        on_event: Called in the running event loop with a key of `EVENTS`, and what happened.
    """

    module = "harness.processes.isolated.host"
    ends_itself = True

    def __init__(self, name: str, on_event: Callable[..., None]) -> None:
        self._loop, self._on_event = asyncio.get_running_loop(), on_event
        super().__init__(name)

    async def call(self, method: str, *arguments: Any) -> Any:
        """See `CalledProcess`."""
        answer = await super().call(method, *arguments)
        try:
            return msgspec.convert(answer, ANSWERS.get(method, Any))
        except msgspec.ValidationError as error:
            problem = f"answered a call of {method} with what is no answer to it ({error})"
            raise BadOutputError(self.name, problem) from error

    def take(self, message: Answer | Call) -> None:
        """See `PythonChild`."""
        if isinstance(message, Answer):
            super().take(message)
        else:
            what: Any = msgspec.convert(message.arguments[0], EVENTS[message.method])
            tell(self._loop, self._on_event, message.method, what)

    async def close(self) -> None:
        """End it: at once if it is dead, else within seconds."""
        self.fail("was ended")
        await asyncio.to_thread(self.end)


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
        if self._far is None or self._far.failure is not None:
            await self.close()
            self._far = HostProcess(self.name, self._happened)
        await self._far.call("make", self.inner.name, self._given)
        plain = msgspec.structs.replace(config, observer=NULL_OBSERVER)
        previous, self._observer = self._observer, config.observer
        started = bool(await self._far.call("start_session", session_id, plain))
        if not started:
            self._observer = previous  # of the session that goes on
        return started

    def _happened(self, method: str, what: object) -> None:
        getattr(self._observer, method)(what)

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        far = self._running()
        stream = await far.call("transcribe_stream", sample_rate, source)
        trouble: list[EchobenchError] = []
        feeding = asyncio.create_task(_feed(far, stream, pcm_stream, trouble))
        try:
            while (segment := await far.call("next_segment", stream)) is not None:
                yield segment
            if trouble:
                raise trouble[0]
        finally:
            feeding.cancel()
            with contextlib.suppress(TimeoutError, EchobenchError):
                async with asyncio.timeout(CANCEL_TIMEOUT_S):
                    await far.call("leave", stream)

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        finals: list[ASRSegment] = await self._running().call("flush", source)
        return finals

    async def health(self) -> ASRHealth:
        """See `ASRProvider`."""
        health: ASRHealth = await self._running().call("health")
        return health

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        await self._running().call("stop_session", session_id)

    async def close(self) -> None:
        """See `ASRProvider`; ends the process, and all that it started."""
        if self._far is not None:
            await self._far.close()
            self._far = None

    def _running(self) -> HostProcess:
        if self._far is None:
            raise ProviderError(self.inner.name, "no session was started", "start_session first")
        return self._far


async def _feed(
    far: HostProcess, stream: int, pcm_stream: AsyncIterator[bytes], trouble: list[EchobenchError]
) -> None:
    """Bring each chunk when it is asked for; after trouble, the end, and the trouble is told."""
    pcm: bytes | None = b""
    try:
        while pcm is not None:
            await far.call("want_chunk", stream)
            with provider_errors("audio"):
                pcm = await anext(pcm_stream, None)
            if not isinstance(pcm, bytes | None):
                raise AudioError("audio", type(pcm).__name__, "bytes of 16-bit mono PCM")
            await far.call("give_chunk", stream, pcm)
    except EchobenchError as error:
        trouble.append(error)
        with contextlib.suppress(EchobenchError):  # the process is of no use any more
            await far.call("give_chunk", stream, None)

"""Runs a provider in a process of its own; the parent's side."""

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
from harness.processes.called_process import CalledProcess, call_in_loop
from harness.processes.calls import Answer, Call
from harness.provider.attribution import provider_errors
from harness.requirements import Requirement

CANCEL_TIMEOUT_S = 5.0
"""For the provider to end a cancelled stream."""
ANSWERS: dict[str, Any] = {
    "health": ASRHealth,
    "flush": list[ASRSegment],
    "next_segment": ASRSegment | None,
}
"""Types of answers by method; other answers aren't converted."""
EVENTS = {"inferred": InferenceSpan, "interrupted": Interruption}
"""Types of the events that the child sends, by method of `Observer`."""


class HostProcess(CalledProcess):
    """The child process, which makes the provider when it is called.

    Args:
        name: The provider's name, for messages.
        on_event: Called in the running event loop with a key of `EVENTS`, and the event.
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
            problem = f"answered a call of {method} with a wrong type ({error})"
            raise BadOutputError(self.name, problem) from error

    def take(self, message: Answer | Call) -> None:
        """See `PythonChild`."""
        if isinstance(message, Answer):
            super().take(message)
        else:
            event: Any = msgspec.convert(message.arguments[0], EVENTS[message.method])
            call_in_loop(self._loop, self._on_event, message.method, event)

    async def close(self) -> None:
        """End the process, within seconds."""
        self.fail("was ended")
        await asyncio.to_thread(self.end)


class OutOfProcessProvider(ASRProvider):
    """A provider in a child process; the next session restarts a process that died.

    Args:
        provider: The provider, made in this process only for its attributes; it loads nothing.
        settings: The options with which the child makes it again.
    """

    name = "isolated"  # replaced in each instance
    clocks = frozenset({ClockKind.WALL})

    def __init__(self, provider: ASRProvider, settings: dict[str, Option]) -> None:
        super().__init__(provider.settings)
        self.name = provider.name  # type: ignore[misc]
        self.inner, self._given = provider, settings
        self._host: HostProcess | None = None
        self._observer = NULL_OBSERVER

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return self.inner.requires

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts the process, unless it is running."""
        if self._host is None or self._host.failure is not None:
            await self.close()
            self._host = HostProcess(self.name, self._report)
        await self._host.call("make", self.inner.name, self._given)
        plain = msgspec.structs.replace(config, observer=NULL_OBSERVER)
        previous, self._observer = self._observer, config.observer
        started = bool(await self._host.call("start_session", session_id, plain))
        if not started:
            self._observer = previous  # that of the session that is running
        return started

    def _report(self, method: str, event: object) -> None:
        getattr(self._observer, method)(event)

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        host = self._running()
        stream = await host.call("transcribe_stream", sample_rate, source)
        errors: list[EchobenchError] = []
        feeding = asyncio.create_task(_feed(host, stream, pcm_stream, errors))
        try:
            while (segment := await host.call("next_segment", stream)) is not None:
                yield segment
            if errors:
                raise errors[0]
        finally:
            feeding.cancel()
            with contextlib.suppress(TimeoutError, EchobenchError):
                async with asyncio.timeout(CANCEL_TIMEOUT_S):
                    await host.call("leave", stream)

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
        if self._host is not None:
            await self._host.close()
            self._host = None

    def _running(self) -> HostProcess:
        if self._host is None:
            raise ProviderError(self.inner.name, "no session was started", "start_session first")
        return self._host


async def _feed(
    host: HostProcess, stream: int, pcm_stream: AsyncIterator[bytes], errors: list[EchobenchError]
) -> None:
    """Send each chunk when the provider asks for it; an error is kept, and ends the audio."""
    pcm: bytes | None = b""
    try:
        while pcm is not None:
            await host.call("want_chunk", stream)
            with provider_errors("audio"):
                pcm = await anext(pcm_stream, None)
            if not isinstance(pcm, bytes | None):
                raise AudioError("audio", type(pcm).__name__, "bytes of 16-bit mono PCM")
            await host.call("give_chunk", stream, pcm)
    except EchobenchError as error:
        errors.append(error)
        with contextlib.suppress(EchobenchError):  # the process may have failed
            await host.call("give_chunk", stream, None)

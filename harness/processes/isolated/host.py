"""Runs a provider in a process of its own; the child's side, started as a module."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec

from harness.contract import (
    ASRProvider,
    ASRSegment,
    AudioSource,
    InferenceSpan,
    Interruption,
    Observer,
    Option,
    SessionConfig,
)
from harness.errors import EchobenchError, ProviderError
from harness.processes.calls import Answer, Call, Cancel, encode, failure_of
from harness.processes.parent import ParentPipe
from harness.provider.attribution import provider_errors
from harness.provider.registry import make_provider

HOST = "isolated provider"
ARGUMENTS: dict[str, Any] = {
    "make": tuple[str, dict[str, Option]],
    "start_session": tuple[str, SessionConfig],
    "stop_session": tuple[str],
    "health": tuple[()],
    "flush": tuple[AudioSource | None],
    "transcribe_stream": tuple[int, AudioSource | None],
    "next_segment": tuple[()],
    "want_chunk": tuple[()],
    "give_chunk": tuple[bytes | None],
    "leave": tuple[()],
}
"""Types of arguments: of `make`, the provider's methods, and those of a `Stream` by number."""


class Stream:
    """A stream of the provider: the parent requests segments, the provider requests audio."""

    def __init__(self, provider: ASRProvider, sample_rate: int, source: AudioSource | None) -> None:
        self._wanted = asyncio.Semaphore(0)
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._lock = asyncio.Lock()  # the iterator can't be closed while it is awaited
        self._segments = provider.transcribe_stream(self._pcm(), sample_rate, source)

    async def next_segment(self) -> ASRSegment | None:
        """The provider's next segment; None at the end."""
        async with self._lock:
            return await anext(self._segments, None)

    async def want_chunk(self) -> None:
        """Wait until the provider asks for audio."""
        await self._wanted.acquire()

    async def give_chunk(self, pcm: bytes | None) -> None:
        """Give the provider the chunk that it asked for, or None for the end of the audio."""
        self._chunks.put_nowait(pcm)

    async def leave(self) -> None:
        """Close the provider's iterator."""
        async with self._lock:
            if (close := getattr(self._segments, "aclose", None)) is not None:
                await close()

    async def _pcm(self) -> AsyncIterator[bytes]:
        while True:
            self._wanted.release()
            if (chunk := await self._chunks.get()) is None:
                return
            yield chunk


class Reporter(Observer):
    """Sends inferences and interruptions to the parent.

    Args:
        parent: The pipe to the parent.
    """

    def __init__(self, parent: ParentPipe) -> None:
        self._parent = parent

    def inferred(self, span: InferenceSpan) -> None:
        """See `Observer`."""
        self._parent.send(encode(Call(0, "inferred", (span,))))

    def interrupted(self, interruption: Interruption) -> None:
        """See `Observer`."""
        self._parent.send(encode(Call(0, "interrupted", (interruption,))))


class Host:
    """Makes one provider, and answers calls of its methods.

    Args:
        parent: The pipe to the parent.
    """

    def __init__(self, parent: ParentPipe) -> None:
        self._parent = parent
        self._provider: ASRProvider | None = None
        self._calls: dict[int, asyncio.Task[bytes]] = {}
        self._streams: dict[int, Stream] = {}

    def take(self, message: Call | Cancel) -> None:
        """Start or cancel a call, without waiting."""
        number = message.number
        if isinstance(message, Call):
            task = self._calls[number] = asyncio.create_task(self._answer(message))
            task.add_done_callback(partial(self._send_answer, number))
        elif number in self._calls:
            self._calls[number].cancel()

    def _send_answer(self, number: int, task: asyncio.Task[bytes]) -> None:
        del self._calls[number]
        self._parent.send(encode(Answer(number)) if task.cancelled() else task.result())

    async def _answer(self, call: Call) -> bytes:
        try:
            with provider_errors(self._provider.name if self._provider else HOST):
                return encode(Answer(call.number, await self._do(call)))
        except EchobenchError as error:
            return encode(Answer(call.number, None, failure_of(error)))

    async def _do(self, call: Call) -> Any:
        target: object = self._provider
        arguments = call.arguments
        if hasattr(Stream, call.method):
            target, arguments = self._streams[arguments[0]], arguments[1:]
        arguments = msgspec.convert(arguments, ARGUMENTS[call.method])
        if call.method == "make":
            return self._make(*arguments)
        if self._provider is None:
            raise ProviderError(HOST, "called before it was made")
        if call.method == "transcribe_stream":
            self._streams[call.number] = Stream(self._provider, *arguments)
            return call.number
        if call.method == "start_session":
            session_id, config = arguments
            observed = msgspec.structs.replace(config, observer=Reporter(self._parent))
            return await self._provider.start_session(session_id, observed)
        if call.method == "leave":
            del self._streams[call.arguments[0]]
        return await getattr(target, call.method)(*arguments)

    def _make(self, name: str, settings: dict[str, Option]) -> None:
        if self._provider is None:
            with provider_errors(name):
                self._provider = make_provider(name, settings)


async def host(parent: ParentPipe) -> None:
    """Answer calls until the parent has ended."""
    loop, serving = asyncio.get_running_loop(), Host(parent)
    decode = msgspec.msgpack.Decoder(Call | Cancel).decode
    parent.listen(decode, lambda message: loop.call_soon_threadsafe(serving.take, message))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(host(ParentPipe()))

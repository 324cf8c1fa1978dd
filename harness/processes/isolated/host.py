"""The process of an isolated provider: `python -m harness.processes.isolated.host`."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec

from harness.contract import ASRProvider, AudioSource, Option, SessionConfig
from harness.errors import EchobenchError, ProviderError
from harness.processes.calls import Answer, Call, encode, failure_of
from harness.processes.isolated.messages import (
    CancelStream,
    Chunk,
    FromHost,
    Inference,
    Interrupting,
    Segment,
    ToHost,
    WantChunk,
    to_host,
)
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
}
"""The methods that can be called: those of `ASRProvider` and, before them, `make`."""


class Host:
    """Answers for one provider.

    Args:
        parent: The pipe to the parent.
    """

    def __init__(self, parent: ParentPipe) -> None:
        self._parent = parent
        self._provider: ASRProvider | None = None
        self._calls: dict[int, asyncio.Task[bytes]] = {}
        self._chunks: dict[int, asyncio.Queue[bytes | None]] = {}

    def take(self, message: ToHost) -> None:
        """Do what a message asks; nothing here waits."""
        match message:
            case Call(number=number):
                task = self._calls[number] = asyncio.create_task(self._answer(message))
                task.add_done_callback(partial(self._send_answer, number))
            case Chunk(stream=stream, pcm=pcm) if stream in self._chunks:
                self._chunks[stream].put_nowait(pcm)
            case CancelStream(stream=stream) if stream in self._calls:
                self._calls[stream].cancel()

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
        arguments = msgspec.convert(call.arguments, ARGUMENTS[call.method])
        if call.method == "make":
            return self._make(*arguments)
        if self._provider is None:
            raise ProviderError(HOST, "asked before it was made")
        if call.method == "transcribe_stream":
            return await self._stream(self._provider, call.number, *arguments)
        return await getattr(self._provider, call.method)(*arguments)

    def _make(self, name: str, settings: dict[str, Option]) -> None:
        if self._provider is None:
            with provider_errors(name):
                self._provider = make_provider(name, settings)
            self._provider.on_inference = lambda span: self._send(Inference(span))
            self._provider.on_interruption = lambda what: self._send(Interrupting(what))

    def _send(self, message: FromHost) -> None:
        self._parent.send(encode(message))

    async def _stream(
        self, provider: ASRProvider, stream: int, sample_rate: int, source: AudioSource | None
    ) -> None:
        chunks = self._chunks[stream] = asyncio.Queue()

        async def pcm() -> AsyncIterator[bytes]:
            while True:
                self._send(WantChunk(stream))
                if (chunk := await chunks.get()) is None:
                    return
                yield chunk

        try:
            async for segment in provider.transcribe_stream(pcm(), sample_rate, source):
                self._send(Segment(stream, segment))
        finally:
            del self._chunks[stream]


async def host(parent: ParentPipe) -> None:
    """Serve until the parent is gone."""
    loop, serving = asyncio.get_running_loop(), Host(parent)
    parent.listen(to_host.decode, lambda message: loop.call_soon_threadsafe(serving.take, message))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(host(ParentPipe()))

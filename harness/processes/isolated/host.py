"""The process of an isolated provider: `python -m harness.processes.isolated.host`.

Messages come on standard input and go to what was standard output; whatever an engine prints goes
to standard error. When standard input ends, so does this process, with all that it started.
"""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from harness.contract import (
    ASRHealth,
    ASRProvider,
    ASRSegment,
    InferenceSpan,
    Interruption,
    Observer,
)
from harness.errors import EchobenchError, ProviderError
from harness.processes.descendants import kill_own_group
from harness.processes.isolated.messages import (
    LENGTH,
    Answer,
    AskHealth,
    CancelStream,
    Chunk,
    Flush,
    FromHost,
    Inference,
    Interrupting,
    Make,
    OpenStream,
    Segment,
    StartSession,
    StopSession,
    StreamDone,
    ToHost,
    WantChunk,
    framed,
    plain,
    to_host,
)
from harness.processes.pipes import own_pipes
from harness.provider.attribution import provider_errors
from harness.provider.registry import make_provider
from harness.support.sanitize import sendable

Value = bool | ASRHealth | list[ASRSegment] | None


class Reporter(Observer):
    """Sends what the provider's engine does.

    Args:
        send: Sends a message, from any thread.
    """

    def __init__(self, send: Callable[[FromHost], None]) -> None:
        self._send = send

    def inferred(self, span: InferenceSpan) -> None:
        """See `Observer`."""
        self._send(Inference(span))

    def interrupted(self, interruption: Interruption) -> None:
        """See `Observer`."""
        self._send(Interrupting(interruption))


class Host:
    """Answers for one provider.

    Args:
        send: Sends a message, from any thread.
    """

    def __init__(self, send: Callable[[FromHost], None]) -> None:
        self._send, self._reporter = send, Reporter(send)
        self._provider: ASRProvider | None = None
        self._streams: dict[int, tuple[asyncio.Task[None], asyncio.Queue[bytes | None]]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def take(self, message: ToHost) -> None:
        """Do what a message asks; nothing here waits."""
        match message:
            case Make(provider=name, settings=settings):
                with provider_errors(name):
                    self._provider = make_provider(name, settings)
            case StartSession(call=call, session_id=session_id, config=config):
                config = msgspec.structs.replace(config, observer=self._reporter)
                self._call(call, self._made.start_session(session_id, config))
            case StopSession(call=call, session_id=session_id):
                self._call(call, self._made.stop_session(session_id))
            case AskHealth(call=call):
                self._call(call, self._made.health())
            case Flush(call=call, source=source):
                self._call(call, self._made.flush(source))
            case OpenStream(stream=stream):
                chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
                task = asyncio.create_task(self._stream(message, chunks))
                self._streams[stream] = task, chunks
            case Chunk(stream=stream, pcm=pcm) if stream in self._streams:
                self._streams[stream][1].put_nowait(pcm)
            case CancelStream(stream=stream) if stream in self._streams:
                self._streams[stream][0].cancel()

    @property
    def _made(self) -> ASRProvider:
        if self._provider is None:
            raise ProviderError("isolated provider", "asked before it was made")
        return self._provider

    def _call(self, call: int, doing: Awaitable[Value]) -> None:
        async def answer() -> None:
            try:
                with provider_errors(self._made.name):
                    self._send(Answer(call, await doing))
            except EchobenchError as error:
                self._send(_told(error, call))

        task = asyncio.ensure_future(answer())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _stream(self, opened: OpenStream, chunks: asyncio.Queue[bytes | None]) -> None:
        async def pcm() -> AsyncIterator[bytes]:
            while True:
                self._send(WantChunk(opened.stream))
                chunk = await chunks.get()
                if chunk is None:
                    return
                yield chunk

        failed: Answer | None = None
        try:
            with provider_errors(self._made.name):
                segments = self._made.transcribe_stream(pcm(), opened.sample_rate, opened.source)
                async for segment in segments:
                    self._send(Segment(opened.stream, segment))
        except EchobenchError as error:
            failed = _told(error, 0)
        finally:
            del self._streams[opened.stream]
            self._send(StreamDone(opened.stream, failed))


def _told(error: EchobenchError, call: int) -> Answer:
    answer = plain(error, call)
    return Answer(
        call, None, answer.error, sendable(answer.where), sendable(answer.problem),
        answer.allowed and sendable(answer.allowed),
    )  # fmt: skip


async def host(incoming: int, outgoing: int) -> None:
    """Serve until the incoming pipe ends.

    Args:
        incoming: A file descriptor to read messages from.
        outgoing: One to write them to.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(incoming, "rb", 0)
    )

    turn = threading.Lock()

    def send(message: FromHost) -> None:
        data = framed(message)
        with turn:  # the engine's thread reports its inferences
            while data:  # whoever reads drains it at once, or is gone, and so are we soon
                data = data[os.write(outgoing, data) :]

    serving = Host(send)
    with contextlib.suppress(asyncio.IncompleteReadError, BrokenPipeError):
        while True:
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            serving.take(to_host(await reader.readexactly(length)))


def main() -> None:
    """Keep the pipes to ourselves, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    incoming, outgoing = own_pipes()
    with contextlib.suppress(EchobenchError):  # the provider can't be made: said by dying
        asyncio.run(host(incoming, outgoing))
    kill_own_group()


if __name__ == "__main__":
    main()

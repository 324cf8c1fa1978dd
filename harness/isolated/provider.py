"""The near side of a provider that lives in a process of its own."""

import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import msgspec

from harness import errors
from harness.blame import blamed
from harness.clock import ClockKind
from harness.contract import ASRHealth, ASRProvider, ASRSegment, AudioSource, SessionConfig
from harness.errors import AudioError, EchobenchError, ProviderError
from harness.isolated.messages import (
    LENGTH,
    LONGEST,
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
    from_host,
)
from harness.orphans import MARK, end_descendants
from harness.requirements import Requirement
from harness.supervisor import STDERR_TAIL, TERMINATE_S, signal_name
from harness.trial import Option

LAST_LINES = 2
LEAVING_S = 5.0
"""For the far side to let go of a stream that was left."""


class Isolated(ASRProvider):
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
        self._far: _Process | None = None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """See `ASRProvider`."""
        return self.inner.requires

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`; starts the process, unless it is running."""
        if self._far is None or self._far.ended:
            await self.close()
            self._far = await _Process.start(self.inner.name)
            self._far.on_event = self._happened
            self._far.send(Make(self.inner.name, self._given))
        return bool(await self._far.ask(StartSession(self._far.number(), session_id, config)))

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
                    await far.until_done(inbox, LEAVING_S)
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

    def _running(self) -> "_Process":
        if self._far is None:
            raise ProviderError(self.inner.name, "no session was started", "start_session first")
        if self._far.failure is not None:
            raise self._far.failure
        return self._far


def raised(answer: Answer) -> EchobenchError:
    """The error that the far side met with."""
    kind: Any = getattr(errors, answer.error, None)
    if not (isinstance(kind, type) and issubclass(kind, EchobenchError)):
        kind = ProviderError
    if kind is errors.UnknownNameError:  # is made from a list of names, which didn't travel
        kind = errors.UsageError
    error: EchobenchError = kind(answer.where, answer.problem, answer.allowed)
    return error


async def _feed(
    far: "_Process", stream: int, pcm_stream: AsyncIterator[bytes], trouble: list[EchobenchError]
) -> None:
    """Bring the chunk that the far side has asked for; after trouble, the end, and it is told."""
    try:
        with blamed("audio"):
            pcm = await anext(pcm_stream, None)
        if not isinstance(pcm, bytes | None):
            raise AudioError("audio", type(pcm).__name__, "bytes of 16-bit mono PCM")
        far.send(Chunk(stream, pcm))
    except EchobenchError as error:
        trouble.append(error)
        far.send(Chunk(stream, None))


class _Process:
    """The child, and what is under way between it and us."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, mark: str) -> None:
        self._process, self._name, self._mark = process, name, mark
        self._begun_s = time.time()
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._streams: dict[int, asyncio.Queue[FromHost | EchobenchError]] = {}
        self._stderr = b""
        self.failure: ProviderError | None = None
        """Why it is no more."""
        self.on_event = _nothing
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_stderr())]

    @classmethod
    async def start(cls, name: str) -> "_Process":
        mark = uuid.uuid4().hex
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "harness.isolated.host",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                MARK: mark,
            },
        )  # fmt: skip
        return cls(process, name, mark)

    @property
    def ended(self) -> bool:
        return self.failure is not None

    def number(self) -> int:
        return next(self._numbers)

    def send(self, message: ToHost) -> None:
        assert self._process.stdin is not None
        if not self.ended:
            self._process.stdin.write(framed(message))

    async def ask(self, message: StartSession | StopSession | AskHealth | Flush) -> Any:
        if self.failure is not None:
            raise self.failure
        answered = self._asked[message.call] = asyncio.get_running_loop().create_future()
        self.send(message)
        try:
            answer = await answered
        finally:
            self._asked.pop(message.call, None)
        if answer.error:
            raise raised(answer)
        return answer.value

    def open(self, stream: int) -> "asyncio.Queue[FromHost | EchobenchError]":
        inbox = self._streams[stream] = asyncio.Queue()
        return inbox

    def forget(self, stream: int) -> None:
        self._streams.pop(stream, None)

    async def until_done(
        self, inbox: "asyncio.Queue[FromHost | EchobenchError]", within_s: float
    ) -> None:
        async with asyncio.timeout(within_s):
            while not isinstance(await inbox.get(), StreamDone | EchobenchError):
                pass

    async def end(self) -> None:
        """End it: at once if it is dead, else within seconds."""
        self._fail("was ended")
        for number, wait_s in ((signal.SIGTERM, TERMINATE_S), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._process.wait()
        end_descendants(self._mark, self._begun_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        problem = ""
        try:
            while True:
                head = await self._process.stdout.readexactly(LENGTH.size)
                (length,) = LENGTH.unpack(head)
                if length > LONGEST:
                    problem = f"sent a message of {length} bytes"
                    break
                self._take(from_host(await self._process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            code = await self._process.wait()
            how = f"was killed by {signal_name(-code)}" if code < 0 else f"exited with {code}"
            problem = f"the process {how}"
        except msgspec.MsgspecError as error:
            problem = f"sent what is no message ({error})"
        await asyncio.sleep(0)  # for the last that it wrote to standard error
        self._fail(problem + self._last_words())

    def _take(self, message: FromHost) -> None:
        match message:
            case Answer(call=call):
                if (answered := self._asked.get(call)) is not None and not answered.done():
                    answered.set_result(message)
            case Inference() | Interrupting():
                self.on_event(message)
            case Segment(stream=stream) | WantChunk(stream=stream) | StreamDone(stream=stream):
                if stream in self._streams:
                    self._streams[stream].put_nowait(message)

    def _fail(self, problem: str) -> None:
        if self.failure is None:
            self.failure = ProviderError(self._name, problem)
        for answered in self._asked.values():
            if not answered.done():
                answered.set_exception(self.failure)
        for inbox in self._streams.values():
            inbox.put_nowait(self.failure)

    def _last_words(self) -> str:
        lines = self._stderr.decode(errors="replace").splitlines()[-LAST_LINES:]
        return f" ({' | '.join(lines)})" if lines else ""

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while part := await self._process.stderr.read(STDERR_TAIL):
            self._stderr = (self._stderr + part)[-STDERR_TAIL:]


def _nothing(message: Inference | Interrupting) -> None:
    """Nobody wants to know."""

"""The process of an isolated provider, seen from here: what is asked, answered and sent."""

import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from itertools import count
from typing import Any

import msgspec

from harness.errors import EchobenchError, ProviderError
from harness.processes.child import STDERR_TAIL, TERMINATE_S, signal_name
from harness.processes.descendants import MARK, end_descendants
from harness.processes.isolated.messages import (
    LENGTH,
    MAX,
    Answer,
    AskHealth,
    Flush,
    FromHost,
    Inference,
    Interrupting,
    Segment,
    StartSession,
    StopSession,
    StreamDone,
    ToHost,
    WantChunk,
    framed,
    from_host,
    raised,
)

LAST_LINES = 2


class HostProcess:
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
    async def start(cls, name: str) -> "HostProcess":
        """Start it; it makes nothing yet."""
        mark = uuid.uuid4().hex
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "harness.processes.isolated.host",
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
        """Whether it is no more."""
        return self.failure is not None

    def number(self) -> int:
        """A number for the next call or stream."""
        return next(self._numbers)

    def send(self, message: ToHost) -> None:
        """Send a message; nothing waits."""
        assert self._process.stdin is not None
        if not self.ended:
            self._process.stdin.write(framed(message))

    async def ask(self, message: StartSession | StopSession | AskHealth | Flush) -> Any:
        """Send a call, and return its answer.

        Raises:
            EchobenchError: What the provider raised over there, or the process is no more.
        """
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
        """Where what is said on a stream will be."""
        inbox = self._streams[stream] = asyncio.Queue()
        return inbox

    def forget(self, stream: int) -> None:
        """Take nothing for a stream any more."""
        self._streams.pop(stream, None)

    async def until_done(
        self, inbox: "asyncio.Queue[FromHost | EchobenchError]", within_s: float
    ) -> None:
        """Pass over what a stream still says, until it is done."""
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
                if length > MAX:
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

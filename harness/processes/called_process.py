"""Calls methods of objects in a child process; the parent's side."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from harness.clock import hold
from harness.errors import ProviderError
from harness.processes.calls import Answer, Call, Cancel, encode, error_of, failure_of
from harness.processes.python_child import PythonChild


class CalledProcess(PythonChild[Answer | Call]):
    """A child process that answers calls, which may come from several event loops.

    Args:
        name: Its name in messages.
    """

    def __init__(self, name: str) -> None:
        self.failure: ProviderError | None = None
        """Why it can't be used any more."""
        self._numbers = count(1)
        self._lock = threading.Lock()  # guards `failure` and `_pending`, shared with the reader
        self._pending: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Answer]]] = {}
        super().__init__(name, msgspec.msgpack.Decoder(Answer | Call).decode)

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method and return its result.

        Raises:
            EchobenchError: The method raised it, or the process can't be used any more.
        """
        call = Call(next(self._numbers), method, arguments)
        body = encode(call)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        with self._lock:
            if self.failure is not None:
                raise self.failure
            self._pending[call.number] = loop, answered
        self.send(body)
        try:
            with hold():  # the child works only during calls, so the virtual clock skips none of it
                answer = await answered
        except asyncio.CancelledError:
            self.send(encode(Cancel(call.number)))
            raise
        if answer.failure is not None:
            raise error_of(answer.failure, self.name)
        return answer.value

    def take(self, message: Answer | Call) -> None:
        """See `PythonChild`; hands an answer to its caller."""
        with self._lock:
            caller = self._pending.pop(message.number, None)
        if caller is not None:
            call_in_loop(caller[0], _settle, caller[1], message)

    def fail(self, problem: str) -> None:
        """See `PythonChild`; keeps the first problem, and fails all pending calls."""
        words = " | ".join(self.last_lines())
        problem = f"the process {problem}" + (f" ({words})" if words else "")
        with self._lock:
            self.failure = self.failure or ProviderError(self.name, problem)
            pending, self._pending = self._pending, {}
        for number, (loop, answered) in pending.items():
            call_in_loop(loop, _settle, answered, Answer(number, None, failure_of(self.failure)))


class CalledChild(CalledProcess):
    """Runs an engine in a child process, since it holds the interpreter lock or may crash.

    Args:
        name: Its name in messages.
        engine: `module:Class` of the engine, which the child makes with the arguments.
        arguments: Values that MessagePack can encode.
    """

    module = "harness.processes.call_server"

    def __init__(self, name: str, engine: str, *arguments: Any) -> None:
        self._first = engine, *arguments
        super().__init__(name)

    @property
    def is_usable(self) -> bool:
        """Whether it is running and has no pending call."""
        return self.failure is None and not self._pending

    async def start(self) -> None:
        """Make the engine, which may take long; must be the first call.

        Raises:
            ProviderError: The engine can't be made, or the process ended.
        """
        await self.call(*self._first)

    async def idle(self, timeout_s: float) -> bool:
        """Wait until cancelled calls have been answered.

        Returns:
            Whether it can be used again; False if the answers took longer than the timeout.
        """
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(timeout_s):
                await self.call("")  # does nothing, after the calls before it
        return self.is_usable


def call_in_loop(
    loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: Any
) -> None:
    """Schedule a call in an event loop from any thread, unless the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)


def _settle(answered: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not answered.done():  # the call may have been cancelled
        answered.set_result(answer)

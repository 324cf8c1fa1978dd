"""Objects in a child process, called as if they were in this one; the parent's side."""

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
    """A child that answers calls, from whatever event loops they are made.

    Args:
        name: What to call it in messages.
    """

    def __init__(self, name: str) -> None:
        self.failure: ProviderError | None = None
        """Why it is of no use any more."""
        self._numbers = count(1)
        self._lock = threading.Lock()  # for the two around it, which the reading thread uses too
        self._asked: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Answer]]] = {}
        super().__init__(name, msgspec.msgpack.Decoder(Answer | Call).decode)

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method, and return what it returned.

        Raises:
            EchobenchError: What it raised, or the process is of no use any more.
        """
        call = Call(next(self._numbers), method, arguments)
        body = encode(call)
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()
        with self._lock:
            if self.failure is not None:
                raise self.failure
            self._asked[call.number] = loop, answered
        self.send(body)
        try:
            with hold():  # all its work lies inside of calls, so the virtual clock skips none of it
                answer = await answered
        except asyncio.CancelledError:
            self.send(encode(Cancel(call.number)))
            raise
        if answer.failure is not None:
            raise error_of(answer.failure, self.name)
        return answer.value

    def take(self, message: Answer | Call) -> None:
        """See `PythonChild`; an answer goes to whoever waits for it."""
        with self._lock:
            asked = self._asked.pop(message.number, None)
        if asked is not None:
            tell(asked[0], _settle, asked[1], message)

    def fail(self, problem: str) -> None:
        """See `PythonChild`; the first problem counts, and whoever waits is told."""
        words = " | ".join(self.last_lines())
        problem = f"the process {problem}" + (f" ({words})" if words else "")
        with self._lock:
            self.failure = self.failure or ProviderError(self.name, problem)
            asked, self._asked = self._asked, {}
        for number, (loop, answered) in asked.items():
            tell(loop, _settle, answered, Answer(number, None, failure_of(self.failure)))


class CalledChild(CalledProcess):
    """An engine in a child process; for one that keeps the interpreter lock, or crashes.

    Args:
        name: What to call it in messages.
        engine: `module:Class` of the engine, which is made with the arguments in the child.
        arguments: Anything that MessagePack carries.
    """

    module = "harness.processes.call_server"

    def __init__(self, name: str, engine: str, *arguments: Any) -> None:
        self._first = engine, *arguments
        super().__init__(name)

    @property
    def is_usable(self) -> bool:
        """Whether it runs, and owes no answer."""
        return self.failure is None and not self._asked

    async def start(self) -> None:
        """Have the engine made, which may take long; nothing else may be called before.

        Raises:
            ProviderError: It could not be made, or the process ended; says why.
        """
        await self.call(*self._first)

    async def idle(self, timeout_s: float) -> bool:
        """Wait for the answers that nobody waits for any more.

        Returns:
            Whether it can be used again; not if that takes longer than the timeout lasts.
        """
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(timeout_s):
                await self.call("")  # nothing, in its turn
        return self.is_usable


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *arguments: Any) -> None:
    """Have something called in a loop, unless that is closed and so waits for nothing."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *arguments)


def _settle(answered: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not answered.done():  # else nobody waits any more
        answered.set_result(answer)

"""An engine in a Python process of its own, called as if it were in this one.

That is for engines that keep the interpreter lock, or crash. This is the caller's side; for the
child's, and for what they say to each other, see `childserver`. Since all the child's work lies
inside of calls, the virtual clock is right for it: nothing is skipped while one is being answered.
"""

import asyncio
import contextlib
import sys
import threading
from collections import deque
from typing import Any

import msgspec

from harness.clock import hold
from harness.errors import ProviderError
from harness.processes.child_process import ChildProcess
from harness.processes.child_server import Answer, Call, framed, serve, unframed

TAIL = 1500
"""Characters of what it wrote to standard error that go into a message."""


LAST_WORDS_S = 2.0
NOTHING = Call("", ())


class CalledChild:
    """A child, which lives until `end`, on whatever event loops it is called.

    Args:
        name: What to call it in messages.
        engine: `module:Class` of the engine, which is made with the arguments in the child.
        arguments: Anything that MessagePack carries.
        timeout_s: How long it may take no call.
    """

    def __init__(self, name: str, engine: str, *arguments: Any, timeout_s: float = 60.0) -> None:
        self._name, self._timeout_s = name, timeout_s
        self._first = Call(engine, arguments)
        self._received = bytearray()
        self._lock = threading.Lock()  # for the two below, which the reading thread uses too
        self._asked: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[Answer]]] = deque()
        self._problem: str | None = None
        script = (
            f"import sys; sys.path[:] = {sys.path!r}; from {serve.__module__} import serve; serve()"
        )
        self._child = ChildProcess(
            name, [sys.executable, "-c", script], self._take, lambda how: self._fail(f"it {how}")
        )

    @property
    def pid(self) -> int:
        """The process."""
        return self._child.pid

    @property
    def is_usable(self) -> bool:
        """Whether it runs, and owes no answer."""
        return self._problem is None and not self._asked

    async def start(self) -> None:
        """Have the engine made, which may take long; nothing else may be called before.

        Raises:
            ProviderError: It could not be made, or the process ended; says why.
        """
        await self._ask(self._first)

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine, and return what it returned.

        Raises:
            ProviderError: It raised, or the process ended; says why.
            StalledError: It took no call for too long.
        """
        return await self._ask(Call(method, arguments))

    async def idle(self, timeout_s: float) -> bool:
        """Wait for the answers that nobody waits for any more.

        Returns:
            Whether it can be used again; not if that takes longer than the timeout lasts.
        """
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(timeout_s):
                await self._ask(NOTHING)
        return self.is_usable

    def end(self) -> None:
        """End it, within seconds; may be called twice."""
        self._child.end()

    async def _ask(self, call: Call) -> Any:
        loop = asyncio.get_running_loop()
        answered = loop.create_future()
        with self._lock:
            if self._problem is not None:
                raise self._error(self._problem)
            self._asked.append((loop, answered))
        with hold():
            try:
                await self._send(call)
            except ProviderError:  # how it ended tells more than that it takes nothing
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await answered
                raise
            answer = await answered
        if answer.error is not None:
            raise ProviderError(self._name, answer.error)
        return answer.value

    async def _send(self, call: Call) -> None:
        message = memoryview(framed(call))
        try:
            while message:
                count = self._child.offer(message)
                message = message[count:]
                if not count:
                    await self._child.room(self._timeout_s)
        except ProviderError:
            raise
        except BaseException:
            self._fail("was sent half a call")  # and would take the next one for its other half
            raise

    def _take(self, errors: bytes, output: bytes) -> None:
        """Take what the child wrote; in the reading thread."""
        self._received += output
        try:
            for answer in unframed(self._received, Answer):
                with self._lock:
                    loop, answered = self._asked.popleft()
                _tell(loop, answered, answer)
        except (msgspec.MsgspecError, IndexError) as error:
            self._received.clear()
            self._fail(f"sent {len(output)} bytes that are no answer ({error})")

    def _fail(self, problem: str) -> None:
        """Note that it is of no use any more, and tell whoever waits; in any thread."""
        with self._lock:
            self._problem = self._problem or problem
            asked, self._asked = self._asked, deque()
        for loop, answered in asked:
            _tell(loop, answered, self._error(self._problem))

    def _error(self, problem: str) -> ProviderError:
        last = "".join(f"\n    | {line}" for line in self._child.errors()[-TAIL:].splitlines()[-8:])
        return ProviderError(self._name, f"the engine's process {problem}{last}")


def _tell(
    loop: asyncio.AbstractEventLoop, answered: "asyncio.Future[Answer]", what: Answer | Exception
) -> None:
    def tell() -> None:
        if answered.done():
            return  # nobody waits any more
        if isinstance(what, Answer):
            answered.set_result(what)
        else:
            answered.set_exception(what)

    with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits there
        loop.call_soon_threadsafe(tell)

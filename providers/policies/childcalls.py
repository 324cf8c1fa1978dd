"""An engine in a Python process of its own, called as if it were in this one.

That is for engines that keep the interpreter lock, or crash. A message is a length (4 bytes,
little-endian) and so many bytes of MessagePack: calls on the child's standard input, one answer to
each, in order, on its standard output. The child does nothing but answer, and ends when its input
does. What the engine prints goes to standard error.
"""

import asyncio
import contextlib
import importlib
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from harness.errors import ProviderError
from harness.pipes import own_pipes
from providers.policies.childprocess import ChildProcess

T = TypeVar("T")

LENGTH_BYTES = 4
READ = 1 << 16
LONGEST = 1 << 26
"""Bytes of a message; an engine that writes to our pipe past us would name a larger one."""
TAIL = 1500
"""Characters of what it wrote to standard error that go into a message."""


class Call(msgspec.Struct, array_like=True):
    """What a method of the engine is called with."""

    method: str
    arguments: tuple[Any, ...]


class Answer(msgspec.Struct, array_like=True):
    """What it returned, or raised."""

    value: Any = None
    error: str | None = None


NOTHING = Call("", ())


class CalledChild:
    """The caller's side.

    Args:
        name: What to call it in messages.
        engine: `module:Class` of the engine, which is made with the arguments in the child.
        arguments: Anything that MessagePack carries.
        patience_s: How long it may take no call.
    """

    def __init__(self, name: str, engine: str, *arguments: Any, patience_s: float = 60.0) -> None:
        self._name, self._patience_s = name, patience_s
        self._first = Call(engine, arguments)
        self._received = bytearray()
        self._lock = threading.Lock()  # for the two below, which the reading thread uses too
        self._asked: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[Answer]]] = deque()
        self._problem: str | None = None
        script = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
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

    async def idle(self, patience_s: float) -> bool:
        """Wait for the answers that nobody waits for any more.

        Returns:
            Whether it can be used again; not if that takes longer than patience lasts.
        """
        with contextlib.suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(patience_s):
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
        await self._send(call)
        answer = await answered
        if answer.error is not None:
            raise ProviderError(self._name, answer.error)
        return answer.value

    async def _send(self, call: Call) -> None:
        message = memoryview(_framed(call))
        try:
            while message:
                count = self._child.offer(message)
                message = message[count:]
                if not count:
                    await self._child.room(self._patience_s)
        except ProviderError:
            raise
        except BaseException:
            self._fail("was sent half a call")  # and would take the next one for its other half
            raise

    def _take(self, errors: bytes, output: bytes) -> None:
        """Take what the child wrote; in the reading thread."""
        self._received += output
        try:
            for answer in _unframed(self._received, Answer):
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


def _framed(message: Call | Answer) -> bytes:
    content = msgspec.msgpack.encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "little") + content


def _unframed(received: bytearray, kind: type[T]) -> Iterator[T]:
    """Take the whole messages off the beginning of what was received.

    Raises:
        MsgspecError: They are none.
    """
    while len(received) >= LENGTH_BYTES:
        length = int.from_bytes(received[:LENGTH_BYTES], "little")
        if length > LONGEST:
            raise msgspec.DecodeError(f"{length} bytes in one message")
        end = LENGTH_BYTES + length
        if len(received) < end:
            return
        message = bytes(received[LENGTH_BYTES:end])
        del received[:end]
        yield msgspec.msgpack.decode(message, type=kind)


def serve() -> None:
    """The child's side: answer calls until standard input ends."""
    calls, answers = own_pipes()
    engine: object = None
    received = bytearray()
    while part := os.read(calls, READ):
        received += part
        for call in _unframed(received, Call):
            answer = Answer()
            try:
                if engine is None:
                    module, _, name = call.method.partition(":")
                    engine = getattr(importlib.import_module(module), name)(*call.arguments)
                elif call.method:
                    answer.value = getattr(engine, call.method)(*call.arguments)
            except Exception as error:  # noqa: BLE001  (the caller is told, whatever it is)
                answer.error = f"{type(error).__name__}: {error}"
            _write(answers, _framed(answer))


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]

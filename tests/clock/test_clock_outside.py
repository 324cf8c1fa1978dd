"""What the virtual clock can't see by itself, and is told by `hold`: processes and sockets."""

import asyncio
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from itertools import count

import pytest

from harness import clock
from harness.clock import ClockKind, hold, now_s, sleep_until
from tests.clock.test_clock import virtual_loop

pytestmark = pytest.mark.alone

REQUESTS = 6
THINKS_S = 0.03
EVERY_S = 1.0
ECHO = f"""
import sys, time
for line in sys.stdin:
    time.sleep({THINKS_S})
    print(line, end="", flush=True)
"""
Ask = Callable[[], "asyncio.Future[bytes]"]
Server = Callable[[], AbstractAsyncContextManager[Ask]]


@asynccontextmanager
async def child_process() -> AsyncIterator[Ask]:
    """Answers a line with a line, over pipes."""
    child = subprocess.Popen(  # noqa: ASYNC220  (not asyncio's, which it watches)
        [sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    stdin, reader = child.stdin, asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), child.stdout
    )

    def ask() -> "asyncio.Future[bytes]":
        stdin.write(b"a line\n")
        stdin.flush()
        return asyncio.ensure_future(reader.readline())

    yield ask
    stdin.close()
    transport.close()
    child.wait()


@asynccontextmanager
async def loopback_socket() -> AsyncIterator[Ask]:
    """Answers a line with a line, from a thread of which the loop knows nothing."""
    here, there = socket.socketpair()

    def serve() -> None:
        with there, there.makefile("rb") as lines:
            for line in lines:
                time.sleep(THINKS_S)
                there.sendall(line)

    server = threading.Thread(target=serve)
    server.start()
    reader, writer = await asyncio.open_connection(sock=here)

    def ask() -> "asyncio.Future[bytes]":
        writer.write(b"a line\n")
        return asyncio.ensure_future(reader.readline())

    yield ask
    writer.close()
    await writer.wait_closed()
    server.join()


@asynccontextmanager
async def foreign_thread() -> AsyncIterator[Ask]:
    """Answers with `call_soon_threadsafe`, as bindings of native engines do."""
    loop = asyncio.get_running_loop()

    def ask() -> "asyncio.Future[bytes]":
        answer: asyncio.Future[bytes] = loop.create_future()

        def think() -> None:
            time.sleep(THINKS_S)
            loop.call_soon_threadsafe(answer.set_result, b"a line\n")

        threading.Thread(target=think).start()
        return answer

    yield ask


async def latencies_s(server: Server, *, held: bool) -> list[float]:
    """Ask once a second, while a clock goes on ticking as a source does."""
    async with server() as ask:
        with hold():
            await ask()  # the first answer has the start of Python in it
        skipped_s, origin_s = virtual_loop().skipped_s, now_s()
        took_s = []

        async def ticks() -> None:
            for _ in count():
                await asyncio.sleep(EVERY_S / 10)

        ticking = asyncio.create_task(ticks())
        for number in range(REQUESTS):
            await sleep_until(origin_s + number * EVERY_S)
            asked_s = now_s()
            with hold() if held else nullcontext():
                assert await ask() == b"a line\n"
            took_s.append(now_s() - asked_s)
        ticking.cancel()
        assert virtual_loop().skipped_s > skipped_s
        return took_s


@pytest.mark.parametrize("server", [child_process, loopback_socket, foreign_thread])
def test_what_is_held_is_charged(server: Server) -> None:
    took_s = clock.run(latencies_s(server, held=True), ClockKind.VIRTUAL)
    assert min(took_s) >= 0.9 * THINKS_S
    assert statistics.median(took_s) < 20 * THINKS_S


@pytest.mark.parametrize("server", [child_process, loopback_socket, foreign_thread])
def test_what_is_not_held_seems_to_take_as_long_as_anything_waits(server: Server) -> None:
    """The defect that makes providers of this kind ask for the wall clock."""
    took_s = clock.run(latencies_s(server, held=False), ClockKind.VIRTUAL)
    assert statistics.median(took_s) > 20 * THINKS_S

"""Engines in a child process: called like functions; whatever goes wrong there is one error."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from harness.clock import ClockKind, now_s, run
from harness.errors import ProviderError
from harness.processes.called_process import CalledChild

T = TypeVar("T")
ENGINE = "tests.processes.called:Engine"


def on_wall(body: "Coroutine[Any, Any, T]") -> T:
    return run(body, ClockKind.WALL)


def started(*arguments: str) -> CalledChild:
    child = CalledChild("engine", ENGINE, *arguments)
    on_wall(child.start())
    return child


@pytest.fixture(scope="module")
def lasting() -> Iterator[CalledChild]:
    """One child for the tests that leave it well; each calls it on an event loop of its own."""
    child = started("hello")
    yield child
    child.end()


@pytest.fixture
def child(lasting: CalledChild) -> Iterator[CalledChild]:
    yield lasting
    assert lasting.is_usable


@pytest.fixture
def fresh() -> Iterator[CalledChild]:
    """One for a test that ruins it."""
    child = started()
    yield child
    child.end()


def test_a_call_returns_what_the_engine_returns(child: CalledChild) -> None:
    first = on_wall(child.call("greet", "you"))
    assert first.startswith("hello you, ")
    assert on_wall(child.call("greet", "you")) != first, "the engine is a new one"


def test_calls_made_at_once_are_answered_in_order(child: CalledChild) -> None:
    async def body() -> list[Any]:
        return list(await asyncio.gather(*(child.call("echo", bytes([at])) for at in range(50))))

    assert on_wall(body()) == [bytes([at]) for at in range(50)]


def test_what_fits_in_no_pipe_goes_through(child: CalledChild) -> None:
    data = bytes(range(256)) * 12_000
    assert on_wall(child.call("echo", data)) == data


def test_what_an_engine_prints_or_reads_is_apart(child: CalledChild) -> None:
    on_wall(child.call("talk"))
    assert on_wall(child.call("read")) == ""
    assert on_wall(child.call("echo", b"1")) == b"1"


@pytest.mark.parametrize(
    ("method", "arguments", "told"),
    [("fail", (), "RuntimeError: the tensor has the wrong shape"),
     ("greet", (), "TypeError"), ("no_such", (), "AttributeError")],
)  # fmt: skip
def test_an_error_of_the_engine_is_told(
    child: CalledChild, method: str, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ProviderError, match=f"engine: {told}"):
        on_wall(child.call(method, *arguments))


def test_no_wait_is_skipped_while_it_computes(child: CalledChild) -> None:
    """On the virtual clock a call takes as long as it does, for everybody."""

    async def body() -> tuple[float, float]:
        begin_s, begun_s = now_s(), time.monotonic()
        sleeping = asyncio.create_task(asyncio.sleep(3600))
        await child.call("wait", 0.2)
        took_s, really_s = now_s() - begin_s, time.monotonic() - begun_s
        assert not sleeping.done()
        sleeping.cancel()
        return took_s, really_s

    took_s, really_s = run(body(), ClockKind.VIRTUAL)
    assert took_s == pytest.approx(really_s, abs=0.01)
    assert took_s >= 0.2


def test_a_call_that_nobody_waits_for_is_waited_for_before_the_next_use(child: CalledChild) -> None:
    async def body() -> tuple[bool, bool, bool]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await child.call("wait", 0.3)
        before = child.is_usable
        return before, await child.idle(0.01), await child.idle(60.0)

    assert on_wall(body()) == (False, False, True)
    assert on_wall(child.call("echo", b"1")) == b"1"


def test_an_engine_that_can_not_be_made_says_why() -> None:
    child = CalledChild("engine", ENGINE, "fail")
    with pytest.raises(ProviderError, match="engine: ValueError: no such greeting"):
        on_wall(child.start())
    child.end()


def test_a_crash_is_told_to_whoever_waits_and_to_all_after(fresh: CalledChild) -> None:
    async def body() -> list[str]:
        calls = (fresh.call("wait", 0.1), fresh.call("die"), fresh.call("echo", b"1"))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        with pytest.raises(ProviderError, match="was killed by SIGSEGV"):
            await fresh.call("echo", b"1")
        return [str(answer) for answer in answers]

    first, died, waited = on_wall(body())
    assert first == "0.1"
    for answer in (died, waited):
        assert "was killed by SIGSEGV" in answer
        assert "GGML_ASSERT" in answer
    assert not fresh.is_usable
    assert on_wall(fresh.idle(1.0)) is False


def test_bytes_that_are_no_message_are_told(fresh: CalledChild) -> None:
    with pytest.raises(ProviderError, match=r"sent \d+ bytes that are no message"):
        on_wall(fresh.call("spoil"))
    assert not fresh.is_usable


def test_a_long_call_that_is_left_reaches_a_busy_engine_whole(fresh: CalledChild) -> None:
    """Else the rest of it could not be told from the next call."""

    async def body() -> list[Any]:
        busy = asyncio.create_task(fresh.call("wait", 0.5))
        await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fresh.call("echo", bytes(1_000_000))
        assert not fresh.is_usable
        answers = [await fresh.call("echo", b"1"), await busy]
        assert fresh.is_usable
        return answers

    assert on_wall(body()) == [b"1", 0.5]


def test_one_that_is_busy_and_has_more_to_read_than_its_pipe_holds_ends_soon(
    fresh: CalledChild,
) -> None:
    async def body() -> None:
        busy = asyncio.create_task(fresh.call("wait", 100.0))
        await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fresh.call("echo", bytes(1_000_000))
        await asyncio.to_thread(fresh.end)
        with pytest.raises(ProviderError, match="was killed by SIGTERM"):
            await busy

    begin_s = time.monotonic()
    on_wall(body())
    assert not fresh.is_usable
    assert time.monotonic() - begin_s < 30

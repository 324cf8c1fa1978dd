"""The virtual clock by itself: waits are skipped, and time stays in order."""

import asyncio
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import clock
from harness.clock import ClockKind, VirtualLoop, hold, now_s, sleep_until
from tests.profiles import examples

DAY_S = 86_400.0


def virtual_loop() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


@pytest.mark.parametrize("wait_s", [3600.0, 3.5 * DAY_S])
def test_a_wait_takes_no_time_and_its_full_length(wait_s: float) -> None:
    async def wait() -> float:
        begin_s = now_s()
        await asyncio.sleep(wait_s)
        return now_s() - begin_s

    begin_s = time.monotonic()
    waited_s = clock.run(wait(), ClockKind.VIRTUAL)
    assert time.monotonic() - begin_s < 5
    assert wait_s <= waited_s < wait_s + 5


def test_the_wall_clock_waits() -> None:
    begin_s = time.monotonic()
    clock.run(asyncio.sleep(0.05), ClockKind.WALL)
    assert time.monotonic() - begin_s >= 0.05


@given(st.lists(st.floats(0, 5 * DAY_S), min_size=1, max_size=30, unique=True))
@settings(max_examples=examples(40))
def test_timers_fire_in_order_and_never_early(delays_s: list[float]) -> None:
    async def fire() -> list[tuple[float, float]]:
        loop, fired = virtual_loop(), []

        def note(due_s: float) -> None:
            fired.append((due_s, loop.time()))

        for delay_s in delays_s:
            due_s = loop.time() + delay_s
            loop.call_at(due_s, note, due_s)
        await asyncio.sleep(max(delays_s) + 1)
        return fired

    begin_s = time.monotonic()
    fired = clock.run(fire(), ClockKind.VIRTUAL)
    real_s = time.monotonic() - begin_s
    assert [due_s for due_s, _ in fired] == sorted(due_s for due_s, _ in fired)
    assert len(fired) == len(delays_s)
    lateness_s = sorted(at_s - due_s for due_s, at_s in fired)
    assert lateness_s[0] >= -1e-6  # the loop rounds to its resolution, and a float to its own
    assert lateness_s[-1] <= real_s < 5  # late by what was computed, and by no wait


def test_time_never_goes_back() -> None:
    """Neither for tasks nor for threads, whatever is skipped in between."""

    async def look() -> tuple[list[float], list[float]]:
        loop, stop = virtual_loop(), threading.Event()
        from_tasks: list[float] = []
        from_thread: list[float] = []

        def read() -> None:
            while not stop.is_set():
                from_thread.append(loop.time())

        async def wander(step_s: float) -> None:
            for turn in range(200):
                from_tasks.append(now_s())
                await asyncio.sleep(step_s * (turn % 7))

        reader = threading.Thread(target=read)
        reader.start()
        await asyncio.gather(*(wander(step_s) for step_s in (0.0, 0.001, 0.3, 11.0)))
        stop.set()
        reader.join()
        return from_tasks, from_thread

    for times in clock.run(look(), ClockKind.VIRTUAL):
        assert len(times) > 100
        assert all(before <= after for before, after in pairwise(times))


def test_a_storm_of_yields_skips_nothing() -> None:
    async def storm() -> float:
        pending = asyncio.create_task(asyncio.sleep(1000))
        for _ in range(20_000):
            await asyncio.sleep(0)
        pending.cancel()
        return virtual_loop().skipped_s

    assert clock.run(storm(), ClockKind.VIRTUAL) == 0


def test_a_deadline_that_has_passed_does_not_wait() -> None:
    async def late() -> float:
        deadline_s = now_s() - 5
        await sleep_until(deadline_s)
        return virtual_loop().skipped_s

    assert clock.run(late(), ClockKind.VIRTUAL) == 0


@pytest.mark.parametrize("kind", list(ClockKind))
def test_holding_works_on_both_clocks_and_ends_with_its_block(kind: ClockKind) -> None:
    async def held() -> int:
        with pytest.raises(ZeroDivisionError), hold():
            raise ZeroDivisionError
        with hold(), hold():
            await asyncio.sleep(0.01)
        return getattr(asyncio.get_running_loop(), "in_flight", 0)

    assert clock.run(held(), kind) == 0


def test_while_something_is_held_waits_are_real() -> None:
    async def held() -> float:
        with hold():
            await asyncio.sleep(0.1)
        return virtual_loop().skipped_s

    begin_s = time.monotonic()
    assert clock.run(held(), ClockKind.VIRTUAL) == 0
    assert time.monotonic() - begin_s >= 0.1


def test_errors_come_out() -> None:
    async def fail() -> None:
        await asyncio.sleep(1000)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        clock.run(fail(), ClockKind.VIRTUAL)

"""Work in threads is charged in full on the virtual clock, and nothing is skipped over it."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from harness import clock
from harness.clock import ClockKind, T, Ts, VirtualLoop, now_s
from tests.clock.test_clock import virtual_loop

FAR_S = 1000.0
JOBS = 3000


class NaiveLoop(VirtualLoop):
    """Skips whenever it is idle; shows that the tests below see the difference."""

    run_in_executor = asyncio.SelectorEventLoop.run_in_executor


class HastyLoop(VirtualLoop):
    """Counts a job as done a little before its result is delivered."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self.in_flight += 1

        def job() -> T:
            try:
                return func(*args)
            finally:
                self.call_soon_threadsafe(self._count_down)
                time.sleep(0.002)

        return asyncio.SelectorEventLoop.run_in_executor(self, executor, job)


async def many_jobs(jobs: int) -> float:
    """Run jobs while a far timer is pending; return how much was skipped."""
    pending = asyncio.create_task(asyncio.sleep(FAR_S))
    loop = virtual_loop()
    with ThreadPoolExecutor(8) as threads:

        async def one_after_another() -> None:
            for number in range(jobs // 8):
                assert await loop.run_in_executor(threads, abs, -number) == number

        await asyncio.gather(*(one_after_another() for _ in range(8)))
    pending.cancel()
    return loop.skipped_s


def test_no_result_is_overtaken_by_a_skip() -> None:
    assert clock.run(many_jobs(JOBS), ClockKind.VIRTUAL) == 0


@pytest.mark.parametrize("loop", [NaiveLoop, HastyLoop])
def test_loops_that_count_wrongly_are_found_out(loop: Callable[[], VirtualLoop]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(many_jobs(400)) > FAR_S / 2


@pytest.mark.parametrize("own_executor", [False, True])
def test_work_is_charged(own_executor: bool) -> None:
    async def work(executor: Executor | None) -> tuple[float, float]:
        pending = asyncio.create_task(asyncio.sleep(FAR_S))
        begin_s = now_s()
        await virtual_loop().run_in_executor(executor, time.sleep, 0.05)
        await asyncio.to_thread(time.sleep, 0.05)
        pending.cancel()
        return now_s() - begin_s, virtual_loop().skipped_s

    with ThreadPoolExecutor(1) as threads:
        took_s, skipped_s = clock.run(work(threads if own_executor else None), ClockKind.VIRTUAL)
    assert skipped_s == 0
    assert 0.1 <= took_s < FAR_S


def test_a_wait_beside_work_is_real_until_the_work_is_done() -> None:
    async def both() -> tuple[float, float]:
        begin_s = now_s()
        job = virtual_loop().run_in_executor(None, time.sleep, 0.2)
        await asyncio.sleep(0.05)
        early_s, skipped_s = now_s() - begin_s, virtual_loop().skipped_s
        await job
        await asyncio.sleep(100)
        return early_s, skipped_s

    begin_s = time.monotonic()
    early_s, skipped_s = clock.run(both(), ClockKind.VIRTUAL)
    assert time.monotonic() - begin_s < 50
    assert early_s >= 0.05
    assert skipped_s == 0


@pytest.mark.slow
def test_a_thread_that_outlives_its_time_limit_is_still_waited_for() -> None:
    async def give_up() -> tuple[float, int, float]:
        begin_s, real_begin_s = now_s(), time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(virtual_loop().run_in_executor(None, time.sleep, 0.4), 0.1)
        gave_up_s, burning = now_s() - begin_s, virtual_loop().in_flight
        assert virtual_loop().skipped_s == 0
        await asyncio.sleep(FAR_S)
        assert virtual_loop().in_flight == 0
        assert time.monotonic() - real_begin_s >= 0.4
        return gave_up_s, burning, now_s() - begin_s

    gave_up_s, burning, took_s = clock.run(give_up(), ClockKind.VIRTUAL)
    assert gave_up_s >= 0.1
    assert burning == 1
    assert took_s >= 0.1 + FAR_S


def test_a_job_that_is_cancelled_in_the_queue_is_no_longer_waited_for() -> None:
    async def cancel() -> list[int]:
        loop, counts = virtual_loop(), []
        with ThreadPoolExecutor(1) as threads:
            running = loop.run_in_executor(threads, time.sleep, 0.1)
            queued = loop.run_in_executor(threads, time.sleep, 100)
            counts.append(loop.in_flight)
            queued.cancel()
            await running
            await asyncio.sleep(FAR_S)
            counts.append(loop.in_flight)
        return counts

    assert clock.run(cancel(), ClockKind.VIRTUAL) == [2, 0]


def test_an_error_in_a_thread_is_delivered_and_counted_down() -> None:
    def fail() -> None:
        raise LookupError("gone")

    async def work() -> int:
        with pytest.raises(LookupError, match="gone"):
            await asyncio.to_thread(fail)
        await asyncio.sleep(FAR_S)
        return virtual_loop().in_flight

    assert clock.run(work(), ClockKind.VIRTUAL) == 0


def test_an_executor_that_takes_no_more_is_not_counted() -> None:
    async def work() -> int:
        threads = ThreadPoolExecutor(1)
        threads.shutdown()
        with pytest.raises(RuntimeError):
            virtual_loop().run_in_executor(threads, abs, 1)
        return virtual_loop().in_flight

    assert clock.run(work(), ClockKind.VIRTUAL) == 0


def test_a_thread_may_outlive_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as threads:

        async def leave() -> None:
            virtual_loop().run_in_executor(threads, time.sleep, 0.1)

        clock.run(leave(), ClockKind.VIRTUAL)
    assert caplog.records == []


def test_the_end_of_a_run_waits_for_its_threads() -> None:
    """Python gives them 300 s by the loop's clock, which an idle virtual loop would skip to."""

    async def leave() -> None:
        virtual_loop().run_in_executor(None, time.sleep, 0.01)

    begin_s = time.monotonic()
    for _ in range(20):
        clock.run(leave(), ClockKind.VIRTUAL)
    assert time.monotonic() - begin_s >= 0.2

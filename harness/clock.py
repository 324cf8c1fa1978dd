"""The clock of a trial: the wall clock, or a virtual clock that skips waits but not computation.

Both are asyncio event loops, so the code under test is the same: it takes the time from
`now_s()` and waits with `asyncio.sleep`. On the virtual clock

    time = monotonic time + the waits that were skipped

A wait is skipped only when nothing else could happen: the loop would block for a timer, no input
is ready, and no work is in flight outside the loop. Work that the loop hands to a thread is
counted automatically; code that waits for something that the loop can't see (a child process, a
socket, another library's thread) wraps the wait in `hold()`.

Virtual time is right only if every wait goes through the loop. The loop can't see a child process
or a server compute, so providers that use them run on the wall clock. Virtual time also hides the
effects of idleness on a machine (cold caches, lower clock rates) and those of full load (heat).
"""

import asyncio
import contextlib
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from enum import StrEnum
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ClockKind(StrEnum):
    """The clock that a trial runs on; every figure names its clock."""

    WALL = "wall"
    VIRTUAL = "virtual"


Ready = list[tuple[selectors.SelectorKey, int]]


class _MeasuringSelector(selectors.DefaultSelector):
    """Measures how long the loop takes from one poll of its input to the next, in real time.

    Between two polls nothing else can happen: audio waits, messages wait, deadlines pass.
    """

    longest_s = 0.0
    _since_s: float | None = None

    def select(self, timeout: float | None = None) -> Ready:
        if self._since_s is not None:
            self.longest_s = max(self.longest_s, time.monotonic() - self._since_s)
        ready = self._wait(timeout)
        self._since_s = time.monotonic()
        return ready

    def _wait(self, timeout: float | None) -> Ready:
        return super().select(timeout)


class _SkippingSelector(_MeasuringSelector):
    """The selector of a `VirtualLoop`, and the only place where time is skipped."""

    loop: "VirtualLoop"

    def _wait(self, timeout: float | None) -> Ready:
        ready = super()._wait(0)  # input that is already there comes first
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self.loop.in_flight:
            return super()._wait(timeout)  # a real wait, so it takes real time
        self.loop.skip(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that skips its idle waits.

    Attributes:
        in_flight: Number of tasks outside the loop that it must wait for in real time.
        skipped_s: The sum of the skipped waits.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.skipped_s = 0.0
        selector = _SkippingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """The virtual time in seconds; never decreases."""
        return time.monotonic() + self.skipped_s

    def skip(self, wait_s: float) -> None:
        """Move the clock forward by a wait that nothing could interrupt."""
        self.skipped_s += wait_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run `func` in a thread; no wait is skipped until its result has been delivered."""
        self._check_closed()  # type: ignore[attr-defined]
        if executor is None:
            executor = self._default_executor  # type: ignore[has-type]
            if executor is None:
                executor = ThreadPoolExecutor(thread_name_prefix="virtual-loop")
                self._default_executor = executor
        self.in_flight += 1
        try:
            work = executor.submit(func, *args)
        except BaseException:
            self.in_flight -= 1
            raise
        # The order matters: `wrap_future` registers its callback first, so the loop delivers the
        # result before the countdown. The thread's own future is counted, since the thread still
        # computes after `wait_for` has given up on the asyncio future.
        result = asyncio.wrap_future(work, loop=self)
        work.add_done_callback(self._landed)
        return result

    async def shutdown_default_executor(self, *limit_s: float | None) -> None:
        """Wait for its threads in real time, so that Python's own limit isn't skipped to."""
        with hold():
            await super().shutdown_default_executor(*limit_s)

    def _landed(self, _: "Future[Any]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed while the thread ran on
            self.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self.in_flight -= 1


def now_s() -> float:
    """The time on the running trial's clock, in seconds from an arbitrary origin."""
    return asyncio.get_running_loop().time()


@contextlib.contextmanager
def hold() -> Iterator[None]:
    """Keep the virtual clock from skipping during a wait for something outside the loop.

    On the wall clock this does nothing.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        yield
        return
    loop.in_flight += 1
    try:
        yield
    finally:
        loop.in_flight -= 1


def longest_stall_s() -> float:
    """The longest time that the running loop was blocked since the last call.

    In real seconds, on either clock; 0 on a loop that `run` didn't make.
    """
    selector = getattr(asyncio.get_running_loop(), "_selector", None)
    if not isinstance(selector, _MeasuringSelector):
        return 0.0
    longest_s, selector.longest_s = selector.longest_s, 0.0
    return longest_s


async def sleep_until(deadline_s: float) -> None:
    """Wait for an absolute time, so that one late wake-up doesn't delay the next ones.

    Args:
        deadline_s: A time on the running clock; one in the past returns at once.
    """
    await asyncio.sleep(max(0.0, deadline_s - now_s()))


def run(main: Coroutine[Any, Any, T], kind: ClockKind) -> T:
    """Run a coroutine to its end on the given clock.

    >>> async def an_hour() -> float:
    ...     start_s = now_s()
    ...     await asyncio.sleep(3600)
    ...     return now_s() - start_s
    >>> round(run(an_hour(), ClockKind.VIRTUAL))
    3600
    """
    factory = VirtualLoop if kind is ClockKind.VIRTUAL else _wall_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def _wall_loop() -> asyncio.SelectorEventLoop:
    return asyncio.SelectorEventLoop(_MeasuringSelector())

"""One clock for a trial: the wall's, or one that skips waiting and charges compute in full.

Both are asyncio event loops, so the code under test is the same: it takes the time from
`now_s()` and waits with `asyncio.sleep`. On the virtual clock

    time = monotonic time + the waits that were skipped

and a wait is skipped only when nothing else could happen: the loop would block for a timer, no
ready input, and no work in flight outside the loop. Work that the loop hands to a thread is
counted by itself; whoever waits for something that the loop can't see (a child process, a
socket, a foreign thread) says so with `hold()`.

Virtual time is right only if every wait goes through the loop. It can't see a child process or
a server think, so providers that use them run on the wall clock. It also hides what idleness
does to a machine (cold caches, clocks that drop) and what full load does (heat).
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
    """Which clock a trial runs on; every figure says which it came from."""

    WALL = "wall"
    VIRTUAL = "virtual"


Ready = list[tuple[selectors.SelectorKey, int]]


class _MeasuringSelector(selectors.DefaultSelector):
    """Notes how long the loop takes from one look at its input to the next, in real time.

    While it does not look, nothing else can happen: audio waits, messages wait, deadlines pass.
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
        ready = super()._wait(0)  # input that is already here goes first
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self.loop.in_flight:
            return super()._wait(timeout)  # a real wait, charged as such
        self.loop.skip(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that skips its idle waits.

    Attributes:
        in_flight: Pieces of work outside the loop that it must wait for in real time.
        skipped_s: The sum of the waits that were skipped.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.skipped_s = 0.0
        selector = _SkippingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds on the virtual clock; never goes back."""
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
        # The order matters. `wrap_future` asks to be called first, so the loop's queue holds the
        # delivery of the result before our countdown. And the *thread's* future is counted: when
        # `wait_for` gives up on the asyncio side, the thread is still burning time.
        result = asyncio.wrap_future(work, loop=self)
        work.add_done_callback(self._landed)
        return result

    async def shutdown_default_executor(self, *limit_s: float | None) -> None:
        """Wait for its threads in real time: Python's own limit on that is not to be skipped to."""
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
    """Keep the virtual clock from skipping while something outside the loop is being waited for.

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
    """The longest time in which the running loop could not turn, since this was last asked.

    In real seconds, on either clock; 0 on a loop that `run` didn't make.
    """
    selector = getattr(asyncio.get_running_loop(), "_selector", None)
    if not isinstance(selector, _MeasuringSelector):
        return 0.0
    longest_s, selector.longest_s = selector.longest_s, 0.0
    return longest_s


async def sleep_until(deadline_s: float) -> None:
    """Wait for an absolute time, so that a late wake-up doesn't delay those after it.

    Args:
        deadline_s: A time on the running clock; one that has passed returns at once.
    """
    await asyncio.sleep(max(0.0, deadline_s - now_s()))


def run(main: Coroutine[Any, Any, T], kind: ClockKind) -> T:
    """Run a coroutine to its end on the clock asked for.

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

"""Looking for processes that a test has started, also where they belong to no one any more."""

import contextlib
import signal
import time
from collections.abc import Iterable, Iterator

import psutil

MARK = "ECHOBENCH_TEST"
"""An environment variable that tests set, so that they don't see one another's processes."""


@contextlib.contextmanager
def hearing_sigint() -> Iterator[None]:
    """Let processes that are started meanwhile end by SIGINT, also where we ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def marked(mark: str) -> list[psutil.Process]:
    """All live processes that were started with the mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it ended while we looked, or isn't ours
    return found


def alive(mark: str, within_s: float = 5.0) -> list[psutil.Process]:
    """Those that are still there after a while; a process that was killed takes a moment to go."""
    deadline_s = time.monotonic() + within_s
    while (found := marked(mark)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that ended and waits to be noticed doesn't count."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def remaining(pids: Iterable[int], within_s: float = 5.0) -> list[int]:
    """Those of some processes that are still there after a while."""
    left, deadline_s = list(pids), time.monotonic() + within_s
    while (left := [pid for pid in left if is_running(pid)]) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return left

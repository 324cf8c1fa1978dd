"""Finds what a worker started, also what has left its process group and its process tree."""

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil

MARK = "ECHOBENCH_WORKER"
"""The environment variable that a worker hands down to all that it starts."""


def descendants(mark: str, begun_s: float) -> Iterator[psutil.Process]:
    """Find every other process that was started with the mark.

    Where the system doesn't show a process' environment, none is found; macOS hides that of its
    own programs.

    Args:
        mark: The value of the variable.
        begun_s: When the worker was started, on the system's clock; nothing older is looked at.
    """
    if not mark:
        return
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.create_time() < begun_s - 1:
                continue
            if process.environ().get(MARK) == mark:
                yield process
        except (psutil.Error, OSError):
            continue  # it ended while we looked, or isn't ours


def end_descendants(mark: str, begun_s: float) -> None:
    """Kill what `descendants` finds."""
    for process in descendants(mark, begun_s):
        with contextlib.suppress(psutil.Error, OSError):  # it ended by itself
            process.kill()


def kill_own_group() -> None:
    """End this process and all that it started, at once; it was made leader of a group."""
    end_descendants(os.environ.get(MARK, ""), psutil.Process().create_time())
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)

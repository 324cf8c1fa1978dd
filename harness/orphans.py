"""Finds what a worker started, also what has left its process group and its process tree."""

import os
import signal

import psutil

MARK = "ECHOBENCH_WORKER"
"""The environment variable that a worker hands down to all that it starts."""


def end_descendants(mark: str, begun_s: float) -> None:
    """Kill every other process that was started with the mark.

    Where the system doesn't show a process' environment, only its group can be ended; macOS hides
    that of its own programs.

    Args:
        mark: The value of the variable.
        begun_s: When the worker was started, on the system's clock; nothing older is looked at.
    """
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.create_time() < begun_s - 1:
                continue
            if process.environ().get(MARK) == mark:
                process.kill()
        except (psutil.Error, OSError):
            continue  # it ended while we looked, or isn't ours


def kill_own_group() -> None:
    """End this process and all that it started, at once; it was made leader of a group."""
    end_descendants(os.environ.get(MARK, ""), psutil.Process().create_time())
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)

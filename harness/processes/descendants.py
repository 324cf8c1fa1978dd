"""Finds and ends all processes that a child started, also those that left its group and tree."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import psutil

MARK = "ECHOBENCH_WORKER"
"""The environment variable that all processes started by a child inherit."""
TERMINATE_S = 2.0
"""Between SIGTERM and SIGKILL."""
GUARD = 'read -r _; kill -s KILL -- "-$1"'
"""A shell command; its standard input ends when this process ends for any reason."""


def descendants(mark: str, begun_s: float) -> Iterator[psutil.Process]:
    """Find every other process whose environment has the mark.

    Processes whose environment the system doesn't show aren't found; macOS hides that of its own
    programs.

    Args:
        mark: The value of the variable.
        begun_s: When the worker was started, on the system's clock; older processes are ignored.
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
            continue  # it has ended, or belongs to another user


def end_descendants(mark: str, begun_s: float) -> None:
    """Kill the processes that `descendants` finds."""
    for process in descendants(mark, begun_s):
        with contextlib.suppress(psutil.Error, OSError):  # it has ended
            process.kill()


def kill_own_group() -> None:
    """Kill this process, its group if it leads one, and all that it started."""
    end_descendants(os.environ.get(MARK, ""), psutil.Process().create_time())
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class ProcessGroup:
    """A child that leads a process group, and all processes that it started.

    Args:
        leader: The child.
        mark: The mark in the environment of all that it starts, for a child that ends itself after
            this process. If empty, a guard process ends the child's group then.
    """

    def __init__(self, leader: "subprocess.Popen[bytes]", mark: str) -> None:
        self._leader, self._mark, self._begun_s = leader, mark, time.time()
        self._guard: subprocess.Popen[bytes] | None = None
        if not mark:
            guard = ["/bin/sh", "-c", GUARD, "guard", str(leader.pid)]
            none, pipe = subprocess.DEVNULL, subprocess.PIPE
            self._guard = subprocess.Popen(
                guard, stdin=pipe, stdout=none, stderr=none, start_new_session=True
            )

    def end(self) -> None:
        """Send SIGTERM, wait up to `TERMINATE_S`, then kill all that is left."""
        started = self._descendants()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._leader.wait(TERMINATE_S)
        self._signal(signal.SIGKILL)  # also for what it left in its group
        for descendant in started:
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        self._leader.wait()
        end_descendants(self._mark, self._begun_s)
        self.dismiss_guard()

    def dismiss_guard(self) -> None:
        """End the guard, since the child has ended."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()

    def _descendants(self) -> list[psutil.Process]:
        try:
            return list(psutil.Process(self._leader.pid).children(recursive=True))
        except psutil.Error:
            return []

    def _signal(self, number: int) -> None:
        # The group may be empty, which macOS reports as a lack of permission.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._leader.pid, number)

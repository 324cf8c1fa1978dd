"""Finds and ends what a child process started, also what has left its process group and tree."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import psutil

MARK = "ECHOBENCH_WORKER"
"""The environment variable that a child process hands down to all that it starts."""
TERMINATE_S = 2.0
"""Between asking a process to end and ending it."""
GUARD = 'read -r _; kill -s KILL -- "-$1"'
"""A shell's; its standard input ends when this process does, however that comes about."""


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


class ProcessGroup:
    """A child that leads a group, and all that it has started.

    Args:
        leader: The child.
        mark: What is in the environment of all that it starts, if it ends itself when we are gone;
            else there is none, and a guard ends its group then.
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
        """Ask, wait a little, then make sure; at once if it is dead."""
        started = self._descendants()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._leader.wait(TERMINATE_S)
        self._signal(signal.SIGKILL)  # also what it left behind in its group
        for descendant in started:
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        self._leader.wait()
        end_descendants(self._mark, self._begun_s)
        self.dismiss_guard()

    def dismiss_guard(self) -> None:
        """End the guard, which has nothing to watch any more."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()

    def _descendants(self) -> list[psutil.Process]:
        try:
            return list(psutil.Process(self._leader.pid).children(recursive=True))
        except psutil.Error:
            return []

    def _signal(self, number: int) -> None:
        # Nobody may be left in the group, which macOS calls a lack of permission.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._leader.pid, number)

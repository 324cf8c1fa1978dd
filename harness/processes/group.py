"""Ends a child process with all that it started, also when this process is killed."""

import contextlib
import os
import signal
import subprocess
import time

import psutil

from harness.processes.descendants import end_descendants

TERMINATE_S = 2.0
"""Between asking a process to end and ending it."""
GUARD = 'read -r _; kill -s KILL -- "-$1"'
"""A shell's; its standard input ends when this process does, however that comes about."""


class ProcessGroup:
    """A child that leads a group, and all that it has started.

    Args:
        leader: The child.
        mark: What is in the environment of all that it starts, if it ends itself when we are gone;
            else there is none, and a guard ends its group then.
    """

    def __init__(self, leader: "subprocess.Popen[bytes]", mark: str) -> None:
        self._leader, self._mark, self._begun_s = leader, mark, time.time()
        self._guard = None if mark else _guard(leader.pid)

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


def _guard(pid: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

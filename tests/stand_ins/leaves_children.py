"""Starts a process that won't go, and then dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.stand_ins.moments import FaultyProvider, MomentSettings

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(100_000)
"""


class LeavesChildrenSettings(MomentSettings, frozen=True, kw_only=True):
    pid_file: str = ""
    """Where to write down which process it is."""
    new_session: bool = False
    """Whether the child leaves the worker's process group, as a daemon does."""
    no_environment: bool = False
    """Whether the child is started without the variables of its parent."""
    signal: int = signal.SIGKILL
    """0 lives on."""


class LeavesChildren(FaultyProvider):
    name = "leaves_children"
    Settings = LeavesChildrenSettings
    settings: LeavesChildrenSettings

    def fail(self) -> None:
        child = subprocess.Popen(
            [sys.executable, "-c", STUBBORN],
            stdout=subprocess.PIPE,
            start_new_session=self.settings.new_session,
            env={} if self.settings.no_environment else None,
        )
        assert child.stdout is not None
        child.stdout.readline()
        Path(self.settings.pid_file).write_text(str(child.pid))
        self._child = child
        if self.settings.signal:
            os.kill(os.getpid(), self.settings.signal)

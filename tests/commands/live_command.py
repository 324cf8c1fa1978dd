"""`live serve` and `live send` as processes, and recordings to send."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from harness.audio import SAMPLE_RATE_HZ
from tests.faults.processes import hearing_sigint
from tests.trials import STAND_INS

ROOT = Path(__file__).parents[2]


class Command:
    """A `python -m harness live …` that runs."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        with hearing_sigint():
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "harness", "live", *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(STAND_INS), **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.output = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read on to the line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if (match := re.search(pattern, line)) is not None:
                return match
        raise AssertionError(f"{pattern!r} never came:\n{self.output}")

    def finish(self, number: signal.Signals | None = None) -> int:
        """Read the rest, and return the exit status."""
        if number is not None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.output += rest
        return self.process.returncode


@contextlib.contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[tuple[Command, str]]:
    """A server, and the address of its WebSocket."""
    server = Command("serve", "--port", "0", *arguments, **variables)
    try:
        port = server.read_until(r"captions at http://127\.0\.0\.1:(\d+)/")[1]
        yield server, f"ws://127.0.0.1:{port}/live"
    finally:
        if server.process.stdout is not None and not server.process.stdout.closed:
            server.finish(signal.SIGTERM)


def recording(path: Path, seconds: float, channels: int = 1) -> Path:
    rng = np.random.default_rng(1)
    shape = (round(seconds * SAMPLE_RATE_HZ), channels)
    soundfile.write(path, (rng.standard_normal(shape) * 0.1).astype(np.float32), SAMPLE_RATE_HZ)
    return path

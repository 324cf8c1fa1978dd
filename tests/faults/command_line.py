"""The real command line, in a process of its own, for tests that break it off."""

import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.journal.journal import TrialRecord, read_journal
from harness.provider.timeouts import DEFAULT, VARIABLE
from tests.faults.processes import MARK, hearing_sigint
from tests.trials import STAND_INS

ROOT = Path(__file__).parents[2]
MAX_S = 60.0


@dataclass
class CommandLine:
    """Starts `pytest suites/…` with stand-ins installed, and reads along."""

    runs: Path
    arguments: list[str]
    timeouts: object = DEFAULT
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    output: str = ""

    def start(self, *more: str, most_bytes: int | None = None) -> None:
        """Start it; no file that it writes can grow beyond `most_bytes`."""
        limit = [] if most_bytes is None else [
            "/bin/sh", "-c", f'ulimit -f {most_bytes // 512} && exec "$0" "$@"'
        ]  # fmt: skip
        command = [*limit, sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
                   "-p", "no:hypothesispytest", "suites/test_speed.py",
                   "--runs-dir", str(self.runs), *self.arguments, *more]  # fmt: skip
        with hearing_sigint():
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(STAND_INS),
                    MARK: self.mark,
                    VARIABLE: msgspec.json.encode(self.timeouts).decode(),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.output = ""

    def read_until(self, words: str) -> None:
        """Read on to the line that holds the words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"{words!r} never came:\n{self.output}")

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to pytest alone."""
        os.kill(self.process.pid, number)

    def finish(self) -> int:
        """Read the rest, and return the exit status."""
        rest, _ = self.process.communicate(timeout=MAX_S)
        self.output += rest
        return self.process.returncode

    def records(self) -> list[TrialRecord]:
        """The trials of the only run."""
        (folder,) = (path.parent for path in self.runs.glob("2*/run.json"))
        return read_journal(folder / "journal.jsonl")

"""Processes that last for a session of tests, and are no children of the process that tests.

Tests look at the children of their process: count them, sum their memory, kill them.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

START = """
import os, sys
if os.fork() == 0:
    os.setsid()
    with open(sys.argv[1], "w") as file:
        file.write(str(os.getpid()))
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def start_detached(
    command: Sequence[str],
    pid_file: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = None,
) -> None:
    """Start a command that leads a group of its own; whose number is in the file, soon."""
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", START, str(pid_file), *command],
        cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, check=True,
    )  # fmt: skip

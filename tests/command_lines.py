"""Runs `python -m pytest …` many times over, from a process that has imported everything before.

The process reads a list of arguments as a line of JSON, does in a fork of itself what that command
would do, and answers with its exit status and all that it printed.
"""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.detached import start_detached

ROOT = Path(__file__).parents[1]
FEW_PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_benchmark.plugin",
}
"""Others only cost time; the one for benchmarks is among the project's settings."""
IMPORTED = "jiwer msgspec numpy pandas psutil pytest rapidfuzz soundfile soxr"
"""What such a command imports of others' packages."""

PytestCommand = Callable[..., tuple[int, str]]


@contextlib.contextmanager
def serving_pytest() -> Iterator[PytestCommand]:
    """Does what `python -m pytest` does; called with arguments, gives status and output."""
    env = {**os.environ, **FEW_PLUGINS, "COLUMNS": "80", "PY_COLORS": "0"}
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    with (
        tempfile.TemporaryDirectory() as folder,
        os.fdopen(ours_out, "w") as requests,
        os.fdopen(ours_in) as answers,
    ):
        start_detached(
            [sys.executable, "-m", "tests.command_lines"],
            Path(folder) / "pid", cwd=ROOT, env=env, stdin=theirs_in, stdout=theirs_out,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)

        def command(*arguments: str) -> tuple[int, str]:
            requests.write(json.dumps(arguments) + "\n")
            requests.flush()
            status, output = json.loads(answers.readline())
            return status, output

        yield command


def run(arguments: list[str]) -> tuple[int, str]:
    """Do in a fork what `python -m pytest` with these arguments does."""
    import pytest

    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            sys.argv = ["pytest", *arguments]
            status = int(pytest.main(arguments))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode()


if __name__ == "__main__":
    for name in IMPORTED.split():
        __import__(name)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)

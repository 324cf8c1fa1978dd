"""Runs `python -m pytest …` many times over, from a process that has imported everything before.

Reads a list of arguments as a line of JSON, does in a fork of itself what that command would do,
and answers with its exit status and all that it printed.
"""

import json
import os
import sys
import tempfile

import jiwer  # noqa: F401  (as the next ones: a command imports them, and this process once)
import msgspec  # noqa: F401
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import psutil  # noqa: F401
import pytest
import soundfile  # noqa: F401
import soxr  # noqa: F401


def run(arguments: list[str]) -> tuple[int, str]:
    """Do what `python -m pytest` with these arguments does."""
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
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)

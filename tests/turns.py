"""Turns, where tests are spread over processes: one that judges real time runs alone.

Such a test, marked `alone`, waits until no other runs; while it waits, no other begins.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(folder: Path, alone: bool) -> Iterator[None]:
    """Keep the machine for a test, shared with others' or alone.

    Args:
        folder: One that all processes of this run of tests share.
        alone: Whether no other test may run meanwhile.
    """
    with (folder / "entrance").open("w") as entrance, (folder / "room").open("w") as room:
        with locked(entrance.fileno(), fcntl.LOCK_EX):
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        try:
            yield
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # a child may still hold the file open


@contextlib.contextmanager
def locked(file: int, how: int) -> Iterator[None]:
    """Hold a lock on a file."""
    fcntl.flock(file, how)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

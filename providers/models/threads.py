"""Sets the number of an engine's CPU threads, and how they wait for each other."""

import os

import psutil

MAX = 4
"""More threads hardly speed up short windows, and take cores from the app."""


def cpu_threads(requested: int | None) -> int:
    """Return the requested number; by default that of the physical cores, at most `MAX`.

    >>> cpu_threads(7)
    7
    """
    return requested or min(MAX, psutil.cpu_count(logical=False) or 1)


def wait_without_spinning() -> None:
    """Let OpenMP threads sleep at barriers; call it before the engine's library is loaded.

    By default they spin, so each keeps a core busy until the others arrive. With another process on
    the same cores, a decode of 60 ms took 8 s; without spinning it took 0.1 s, and on an idle
    machine no longer than before.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

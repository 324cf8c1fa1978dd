"""How many CPU threads an engine gets, and how they wait for one another."""

import os

import psutil

MAX = 4
"""More threads than this hardly speed up short windows, and take cores from the app."""


def cpu_threads(asked: int | None) -> int:
    """The number asked for; else as many as there are physical cores, at most `MAX`.

    >>> cpu_threads(7)
    7
    """
    return asked or min(MAX, psutil.cpu_count(logical=False) or 1)


def wait_without_spinning() -> None:
    """Let OpenMP threads sleep at barriers; to be called before the engine's library is loaded.

    They spin by default, each keeping a core busy until the others arrive. Where another process
    wants that core too, a decode of 60 ms was seen to take 8 s; without spinning it took 0.1 s, and
    no longer than before on an idle machine.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

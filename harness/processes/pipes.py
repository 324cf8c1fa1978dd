"""Standard input and output of a process whose parent speaks a protocol there."""

import os
import sys


def own_pipes() -> tuple[int, int]:
    """Take both pipes for ourselves, before any engine is imported.

    From then on standard input is empty and standard output is standard error, so that nothing an
    engine or its children read or print gets in between.

    Returns:
        File descriptors: to read what the parent sends, and to write what it is to get.
    """
    incoming, outgoing = os.dup(sys.stdin.fileno()), os.dup(sys.stdout.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return incoming, outgoing

"""What every child process shares: the tail of stderr, and the name of its death."""

import signal

STDERR_TAIL = 1 << 16


TERMINATE_S = 2.0
"""Between asking a worker to end and ending it."""


def signal_name(number: int) -> str:
    """A signal's name, also where it has none of its own.

    >>> signal_name(9), signal_name(40)
    ('SIGKILL', 'signal 40')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

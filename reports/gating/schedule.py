"""Orders a gate's runs so that changes of the machine affect base and head alike."""

from enum import StrEnum


class Arm(StrEnum):
    """The role of a run."""

    BASE = "base"
    HEAD = "head"
    CONTROL = "control"
    """Base measured as if it were a head; it must not seem to differ."""


def turns(pair: int, repeats: int, control: bool) -> list[Arm]:
    """Return the runs of one pair, in order.

    Each repeat runs every arm once; every other repeat is in the opposite order (ABBA), so that a
    steady drift costs every arm the same.

    Args:
        pair: Its number, from 0.
        repeats: How often each arm runs; its figure is the median.
        control: Whether base also runs as the control.

    >>> [arm[0] for arm in turns(0, 3, control=False)], [arm[0] for arm in turns(1, 1, True)]
    (['b', 'h', 'h', 'b', 'b', 'h'], ['c', 'h', 'b'])
    """
    order = [Arm.BASE, Arm.HEAD, *([Arm.CONTROL] if control else [])]
    return [
        arm
        for repeat in range(repeats)
        for arm in (order if (pair + repeat) % 2 == 0 else reversed(order))
    ]

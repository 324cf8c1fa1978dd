"""Who runs when: base and head take turns, so that what changes in the machine hits both alike."""

from enum import StrEnum


class Arm(StrEnum):
    """Whose run it is."""

    BASE = "base"
    HEAD = "head"
    CONTROL = "control"
    """Base once more, measured as if it were a head: it must not seem to differ."""


def turns(pair: int, repeats: int, control: bool) -> list[Arm]:
    """The runs of one pair, in order.

    Each repeat runs every arm once, and every other one in the opposite order (ABBA), so that a
    steady drift costs every arm the same.

    Args:
        pair: Its number, from 0.
        repeats: How often each arm runs; its figure is the median.
        control: Whether base runs a second time.

    >>> [arm[0] for arm in turns(0, 3, control=False)], [arm[0] for arm in turns(1, 1, True)]
    (['b', 'h', 'h', 'b', 'b', 'h'], ['c', 'h', 'b'])
    """
    order = [Arm.BASE, Arm.HEAD, *([Arm.CONTROL] if control else [])]
    return [
        arm
        for repeat in range(repeats)
        for arm in (order if (pair + repeat) % 2 == 0 else reversed(order))
    ]

"""What this machine is made of and how it does, asked of the system itself; imports no engine.

Each system has a file; what a system doesn't tell is None. The functions here choose.
"""

import sys
from dataclasses import dataclass

import psutil

from harness.machine.hardware import darwin, linux
from harness.machine.hardware.cores import CoreCounts

IS_MAC = sys.platform == "darwin"


@dataclass(frozen=True)
class Heat:
    """Whether the processor is slowed down because it is hot; None where the system won't say."""

    throttle_count: int | None = None
    """How often it was slowed down since the system started (Linux)."""
    pressure: int | None = None
    """From 0, none, to 4, about to sleep (macOS)."""


def core_counts() -> CoreCounts:
    """Count fast and frugal cores."""
    return darwin.core_counts() if IS_MAC else linux.core_counts()


def chip() -> str:
    """The processor's name as its maker sells it; the architecture where the system won't say."""
    return darwin.chip() if IS_MAC else linux.chip()


def is_apple_silicon() -> bool:
    """Whether this is a Mac with Apple's own processor, also under Rosetta."""
    return IS_MAC and darwin.is_apple_silicon()


def has_metal() -> bool:
    """Whether there is a GPU that Metal can use."""
    return IS_MAC and darwin.has_metal()


def memory_bytes() -> int:
    """Memory that may be used: the machine's, or what the container is allowed."""
    total: int = psutil.virtual_memory().total
    limit = None if IS_MAC else linux.memory_limit_bytes()
    return total if limit is None else min(total, limit)


def on_battery() -> bool | None:
    """Whether the battery feeds the machine; False where there is none."""
    try:
        battery = psutil.sensors_battery()
    except (OSError, NotImplementedError, AttributeError):  # psutil lacks it on some systems
        return None
    if battery is None:
        return False
    return None if battery.power_plugged is None else not battery.power_plugged


def saves_power() -> bool | None:
    """Whether the user has asked the system to save power at the cost of speed."""
    return darwin.saves_power() if IS_MAC else linux.saves_power()


def heat() -> Heat:
    """Look whether the processor is slowed down; takes well under a millisecond."""
    if IS_MAC:
        return Heat(pressure=darwin.thermal_pressure())
    return Heat(throttle_count=linux.throttle_count())

"""Reads the machine's hardware, power and heat from the operating system; imports no engine.

Each system has a module, among which the functions here choose. None stands for what a system
doesn't report.
"""

import sys
from dataclasses import dataclass

import psutil

from harness.machine.hardware import darwin, linux
from harness.machine.hardware.cores import CoreCounts

IS_MAC = sys.platform == "darwin"


@dataclass(frozen=True)
class Heat:
    """Whether heat slows the processor down; None where the system doesn't report it."""

    throttle_count: int | None = None
    """How often it was slowed down since the system started (Linux)."""
    pressure: int | None = None
    """From 0, none, to 4, about to sleep (macOS)."""


def core_counts() -> CoreCounts:
    """Count performance and efficiency cores."""
    return darwin.core_counts() if IS_MAC else linux.core_counts()


def chip() -> str:
    """The processor's product name; the architecture where the system doesn't report it."""
    return darwin.chip() if IS_MAC else linux.chip()


def is_apple_silicon() -> bool:
    """Whether this is a Mac with an Apple processor, also under Rosetta."""
    return IS_MAC and darwin.is_apple_silicon()


def has_metal() -> bool:
    """Whether there is a GPU that Metal can use."""
    return IS_MAC and darwin.has_metal()


def memory_bytes() -> int:
    """The usable memory: the machine's, or the container's limit if that is less."""
    total: int = psutil.virtual_memory().total
    limit = None if IS_MAC else linux.memory_limit_bytes()
    return total if limit is None else min(total, limit)


def on_battery() -> bool | None:
    """Whether the machine runs on battery; False where there is none."""
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
    """Read whether heat slows the processor down; takes well under a millisecond."""
    if IS_MAC:
        return Heat(pressure=darwin.thermal_pressure())
    return Heat(throttle_count=linux.throttle_count())

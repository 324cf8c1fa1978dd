"""Reads hardware properties on macOS from sysctl, pmset and system notifications."""

import ctypes
import platform
import subprocess
from functools import cache

from harness.machine.hardware.cores import CoreCounts

SYSCTL, PMSET = "/usr/sbin/sysctl", "/usr/bin/pmset"
PRESSURE_NAME = b"com.apple.system.thermalpressurelevel"
"""As in <libkern/OSThermalNotification.h>; needs no special rights."""
TIMEOUT_S = 5.0
"""For commands that normally answer in milliseconds."""


def core_counts() -> CoreCounts:
    """Count physical cores by kind; level 0 has the performance cores."""
    counts = _sysctl("hw.perflevel0.physicalcpu", "hw.perflevel1.physicalcpu")
    fast = counts.get("hw.perflevel0.physicalcpu")
    if fast is None:
        return CoreCounts()  # Intel
    return CoreCounts(int(fast), int(counts.get("hw.perflevel1.physicalcpu", 0)))


def chip() -> str:
    """The processor's name."""
    name = "machdep.cpu.brand_string"
    return _sysctl(name).get(name) or platform.machine()


def is_apple_silicon() -> bool:
    """Whether the processor is Apple's, also for a Python that runs under Rosetta."""
    return _sysctl("hw.optional.arm64").get("hw.optional.arm64") == "1"


@cache
def has_metal() -> bool:
    """Whether Metal has a default device."""
    try:
        # Metal finds no device in a process that hasn't loaded Core Graphics.
        ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
        metal = ctypes.CDLL("/System/Library/Frameworks/Metal.framework/Metal")
        metal.MTLCreateSystemDefaultDevice.restype = ctypes.c_void_p
        return metal.MTLCreateSystemDefaultDevice() is not None
    except (OSError, AttributeError):
        return False


def saves_power() -> bool | None:
    """Whether Low Power Mode is on."""
    return power_mode(_output([PMSET, "-g"]))


def power_mode(settings: str) -> bool | None:
    r"""Parse Low Power Mode from the output of `pmset -g`; None on systems without it.

    >>> power_mode(" standby              1\n lowpowermode         1\n")
    True
    >>> power_mode(" powermode            0") , power_mode(" sleep  1")
    (False, None)
    """
    for line in settings.splitlines():
        match line.split():
            case ["lowpowermode" | "powermode", value, *_]:
                return value == "1"  # 2 is High Power
    return None


def thermal_pressure() -> int | None:
    """How much heat slows the machine: 0 not at all, 1 moderately, 2 heavily, 3 and 4 worse."""
    registered = _pressure_register()
    if registered is None:
        return None
    library, token = registered
    state = ctypes.c_uint64()
    failed = library.notify_get_state(token, ctypes.byref(state))
    return None if failed else state.value


@cache
def _pressure_register() -> tuple[ctypes.CDLL, ctypes.c_int] | None:
    library, token = ctypes.CDLL(None), ctypes.c_int()
    try:
        failed = library.notify_register_check(PRESSURE_NAME, ctypes.byref(token))
    except AttributeError:
        return None
    return None if failed else (library, token)


def _sysctl(*names: str) -> dict[str, str]:
    """Read several values at once; unknown names are left out."""
    return values(_output([SYSCTL, *names]))


def values(output: str) -> dict[str, str]:
    r"""Parse the output of sysctl.

    >>> values("hw.optional.arm64: 1\nmachdep.cpu.brand_string: Apple M3 Max\n")
    {'hw.optional.arm64': '1', 'machdep.cpu.brand_string': 'Apple M3 Max'}
    """
    pairs = (line.partition(": ") for line in output.splitlines())
    return {name: value.strip() for name, found, value in pairs if found}


def _output(command: list[str]) -> str:
    """Run a command and return its output; empty where it can't be run."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""

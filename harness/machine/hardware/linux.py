"""Reads hardware properties on Linux from files under /sys and /proc, which may be missing."""

import platform
from pathlib import Path

from harness.machine.hardware.cores import CoreCounts

SYS, PROC = Path("/sys"), Path("/proc")
UNLIMITED = 1 << 60
"""Version 1 of control groups reports "no limit" as a number of this size or more."""


def core_counts(sys: Path = SYS) -> CoreCounts:
    """Count physical cores by kind.

    Intel systems list the processors of each kind. ARM systems give each processor a capacity,
    which is largest for performance cores.
    """
    devices = sys / "devices"
    fast, efficient = _read(devices / "cpu_core/cpus"), _read(devices / "cpu_atom/cpus")
    if fast and efficient:
        return CoreCounts(_physical(sys, cpu_list(fast)), _physical(sys, cpu_list(efficient)))
    capacities = {
        int(path.parent.name.removeprefix("cpu")): int(text)
        for path in devices.glob("system/cpu/cpu[0-9]*/cpu_capacity")
        if (text := _read(path))
    }
    if not capacities:
        return CoreCounts()
    largest = max(capacities.values())
    return CoreCounts(
        _physical(sys, [cpu for cpu, capacity in capacities.items() if capacity == largest]),
        _physical(sys, [cpu for cpu, capacity in capacities.items() if capacity < largest]),
    )


def cpu_list(text: str) -> list[int]:
    """Parse a list of processors in the kernel's notation.

    >>> cpu_list("0-3,8,10-11")
    [0, 1, 2, 3, 8, 10, 11]
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def chip(proc: Path = PROC) -> str:
    """The processor's name, or the board's, since many ARM processors report none."""
    for line in _read(proc / "cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return _read(proc / "device-tree/model").strip("\0") or platform.machine()


def memory_limit_bytes(sys: Path = SYS) -> int | None:
    """The memory limit of the control group; None where there is none."""
    for name in ("fs/cgroup/memory.max", "fs/cgroup/memory/memory.limit_in_bytes"):
        text = _read(sys / name)
        if text.isdecimal() and int(text) < UNLIMITED:
            return int(text)
    return None


def saves_power(sys: Path = SYS) -> bool | None:
    """Whether the power profile or the frequency governor is set to save power."""
    profile = _read(sys / "firmware/acpi/platform_profile")
    governor = _read(sys / "devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if not (profile or governor):
        return None
    return profile == "low-power" or (governor == "powersave" and not _sets_itself(sys))


def throttle_count(sys: Path = SYS) -> int | None:
    """How often heat has slowed the processors down since the system started."""
    counts = [int(text) for path in
              sys.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")
              if (text := _read(path)).isdecimal()]  # fmt: skip
    return sum(counts) if counts else None


def _sets_itself(sys: Path) -> bool:
    """Whether the driver is one whose normal governor is named "powersave"."""
    driver = _read(sys / "devices/system/cpu/cpu0/cpufreq/scaling_driver")
    return driver in ("intel_pstate", "amd-pstate-epp")


def _physical(sys: Path, cpus: list[int]) -> int:
    """Count the physical cores of logical processors."""
    topology = [sys / f"devices/system/cpu/cpu{cpu}/topology" for cpu in cpus]
    cores = {(_read(path / "physical_package_id"), _read(path / "core_id") or str(path))
             for path in topology}  # fmt: skip
    return len(cores)


def _read(path: Path) -> str:
    """Read a file's text; empty where it is missing or not readable."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""

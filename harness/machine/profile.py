"""Describes the machine that figures are measured on; imports no engine."""

import importlib.metadata
import platform
import shutil
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from harness.machine import hardware
from harness.machine.hardware.nvidia import Gpu, gpus

PACKAGES = ("echobench", "pytest", "pytest-benchmark", "numpy", "pandas", "jiwer", "soundfile",
            "soxr", "psutil", "websockets", "pywhispercpp", "faster-whisper", "ctranslate2",
            "onnxruntime")  # fmt: skip


class MachineProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a machine that figures and recommendations depend on.

    The defaults mean "not known", as for runs from before a field existed.
    """

    system: str
    chip: str
    logical_cores: int
    physical_cores: int | None
    performance_cores: int | None = None
    """Fast physical cores; None where the system doesn't tell kinds apart."""
    efficiency_cores: int | None = None
    ram_bytes: int
    apple_silicon: bool = False
    metal: bool = False
    cuda: tuple[Gpu, ...] = ()
    free_disk_bytes: int | None = None
    """On the home folder's disk, where models are kept."""
    power: Literal["mains", "battery"] | None = None
    saves_power: bool | None = None
    """Whether the user has asked the system to save power at the cost of speed."""
    load_1min: float
    """The system's load average of the last minute."""
    python: str
    packages: dict[str, str]
    """Versions of the installed packages among `PACKAGES`."""

    @property
    def ram_gib(self) -> float:
        """Memory in GiB; a machine sold with 16 GB has between 14.9 and 16."""
        return self.ram_bytes / 2**30

    def __str__(self) -> str:
        cores = f"{self.physical_cores or self.logical_cores} cores"
        return f"{self.chip}, {cores}, {self.ram_gib:.0f} GiB, {self.system}"


def describe_machine() -> MachineProfile:
    """Describe this machine; imports none of the packages whose versions it gives."""
    cores, on_battery = hardware.core_counts(), hardware.on_battery()
    return MachineProfile(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        chip=hardware.chip(),
        logical_cores=psutil.cpu_count() or 1,
        physical_cores=psutil.cpu_count(logical=False),
        performance_cores=cores.performance,
        efficiency_cores=cores.efficiency,
        ram_bytes=hardware.memory_bytes(),
        apple_silicon=hardware.is_apple_silicon(),
        metal=hardware.has_metal(),
        cuda=gpus(),
        free_disk_bytes=_free_disk_bytes(),
        power=None if on_battery is None else ("battery" if on_battery else "mains"),
        saves_power=hardware.saves_power(),
        load_1min=round(psutil.getloadavg()[0], 2),
        python=platform.python_version(),
        packages={name: version for name in PACKAGES if (version := _version(name))},
    )


def _free_disk_bytes() -> int | None:
    try:
        return shutil.disk_usage(Path.home()).free
    except (OSError, RuntimeError):  # no home folder, or no permission
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None

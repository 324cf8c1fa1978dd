"""What the figures were measured on and with."""

import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil

PACKAGES = ("echobench", "pytest", "pytest-benchmark", "numpy", "pandas", "jiwer", "soundfile",
            "soxr", "psutil", "pywhispercpp", "faster-whisper", "ctranslate2",
            "onnxruntime")  # fmt: skip


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, as far as figures depend on it."""

    system: str
    chip: str
    logical_cores: int
    physical_cores: int | None
    ram_bytes: int
    load_1min: float
    """Processes that wanted to run, on average, in the minute before."""
    python: str
    packages: dict[str, str]
    """Versions of what takes part, where installed."""

    def __str__(self) -> str:
        cores = f"{self.physical_cores or self.logical_cores} cores"
        return f"{self.chip}, {cores}, {self.ram_bytes / 2**30:.0f} GiB, {self.system}"


def describe_machine() -> Machine:
    """Look at this machine; imports none of the packages whose versions it gives."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        chip=_chip(),
        logical_cores=psutil.cpu_count() or 1,
        physical_cores=psutil.cpu_count(logical=False),
        ram_bytes=psutil.virtual_memory().total,
        load_1min=round(psutil.getloadavg()[0], 2),
        python=platform.python_version(),
        packages={name: version for name in PACKAGES if (version := _version(name))},
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _chip() -> str:
    """The processor's name as its maker sells it; the architecture where the system won't say."""
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return asked.stdout.strip() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()

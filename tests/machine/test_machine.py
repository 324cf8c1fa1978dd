"""What a machine is found to be: on file trees and command output of machines we don't have."""

import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from harness.journal.run_folder import RunInfo
from harness.machine import hardware
from harness.machine.hardware import darwin, linux, nvidia
from harness.machine.hardware.cores import CoreCounts
from harness.machine.profile import MachineProfile, describe_machine


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write a file system's part, as the kernel would show it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def cpus(cores: dict[int, int], package: int = 0) -> dict[str, str]:
    """Topology files: which core each processor is a thread of."""
    base = "devices/system/cpu/cpu"
    return {
        f"{base}{cpu}/topology/{name}": str(value)
        for cpu, core in cores.items()
        for name, value in (("core_id", core), ("physical_package_id", package))
    }


def test_a_hybrid_intel_has_its_kinds_listed(tmp_path: Path) -> None:
    files = {"devices/cpu_core/cpus": "0-3", "devices/cpu_atom/cpus": "4-7"}
    files |= cpus({0: 0, 1: 0, 2: 1, 3: 1, 4: 8, 5: 9, 6: 10, 7: 11})
    assert linux.core_counts(tree(tmp_path, files)) == CoreCounts(performance=2, efficiency=4)


def test_an_arm_machine_is_told_by_capacity(tmp_path: Path) -> None:
    files = {f"devices/system/cpu/cpu{cpu}/cpu_capacity": "1024" if cpu >= 4 else "446"
             for cpu in range(6)}  # fmt: skip
    files |= cpus({cpu: cpu for cpu in range(6)})
    assert linux.core_counts(tree(tmp_path, files)) == CoreCounts(performance=2, efficiency=4)


def test_a_machine_that_tells_nothing_has_unknown_cores(tmp_path: Path) -> None:
    assert linux.core_counts(tmp_path) == CoreCounts(None, None)
    assert linux.memory_limit_bytes(tmp_path) is None
    assert linux.throttle_count(tmp_path) is None
    assert linux.saves_power(tmp_path) is None
    assert linux.chip(tmp_path) == platform.machine()


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory.max", "8589934592", 8 << 30),
        ("memory.max", "max", None),
        ("memory/memory.limit_in_bytes", "4294967296", 4 << 30),
        ("memory/memory.limit_in_bytes", "9223372036854771712", None),
    ],
)
def test_a_containers_memory_is_what_it_is_allowed(
    tmp_path: Path, name: str, text: str, limit: int | None
) -> None:
    assert linux.memory_limit_bytes(tree(tmp_path, {f"fs/cgroup/{name}": text})) == limit


def test_throttling_is_counted_over_all_processors(tmp_path: Path) -> None:
    base = "devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count"
    files = {
        base.format(0, "core"): "3",
        base.format(0, "package"): "1",
        base.format(1, "core"): "2",
    }
    assert linux.throttle_count(tree(tmp_path, files)) == 6


@pytest.mark.parametrize(
    ("profile", "governor", "driver", "saves"),
    [
        ("low-power", "performance", "acpi-cpufreq", True),
        ("balanced", "powersave", "acpi-cpufreq", True),
        ("balanced", "powersave", "intel_pstate", False),
        ("performance", "schedutil", "acpi-cpufreq", False),
    ],
)
def test_power_saving_is_told_from_a_governors_name(
    tmp_path: Path, profile: str, governor: str, driver: str, saves: bool
) -> None:
    files = {
        "firmware/acpi/platform_profile": profile,
        "devices/system/cpu/cpu0/cpufreq/scaling_governor": governor,
        "devices/system/cpu/cpu0/cpufreq/scaling_driver": driver,
    }
    assert linux.saves_power(tree(tmp_path, files)) is saves


def command(path: Path, output: str) -> str:
    """An executable that prints what a Mac's would."""
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\necho unknown oid >&2; exit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


M3_MAX = """hw.perflevel0.physicalcpu: 12
hw.perflevel1.physicalcpu: 4
hw.optional.arm64: 1
machdep.cpu.brand_string: Apple M3 Max"""
INTEL_MAC = "machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz"


def test_a_mac_with_apple_silicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(darwin, "SYSCTL", command(tmp_path / "sysctl", M3_MAX))
    assert darwin.core_counts() == CoreCounts(performance=12, efficiency=4)
    assert darwin.is_apple_silicon()
    assert darwin.chip() == "Apple M3 Max"


def test_a_mac_with_an_intel_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(darwin, "SYSCTL", command(tmp_path / "sysctl", INTEL_MAC))
    assert darwin.core_counts() == CoreCounts()
    assert not darwin.is_apple_silicon()
    assert darwin.chip().startswith("Intel(R) Core(TM) i7")


def test_a_mac_whose_tools_are_missing_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(darwin, "SYSCTL", str(tmp_path / "none"))
    monkeypatch.setattr(darwin, "PMSET", str(tmp_path / "none"))
    assert darwin.core_counts() == CoreCounts()
    assert darwin.chip() == platform.machine()
    assert darwin.saves_power() is None


@pytest.mark.skipif(sys.platform == "darwin", reason="this is a Mac")
def test_elsewhere_there_is_no_metal_and_no_mac_pressure() -> None:
    darwin.has_metal.cache_clear()
    assert not darwin.has_metal()
    assert darwin.thermal_pressure() is None
    assert not hardware.is_apple_silicon()


NVML = r"""
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
int nvmlInit_v2(void) { return FAILS; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = (void *)(long)(index + 1); return 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned length) {
    if (device == (void *)2) return 15;  /* fell off the bus */
    strncpy(name, "NVIDIA H100 80GB HBM3", length); return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = 85520809984ULL; return 0; }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to make a driver with")
@pytest.mark.parametrize("fails", [0, 9])
def test_gpus_are_asked_of_the_drivers_library(tmp_path: Path, fails: int) -> None:
    source, library = tmp_path / "nvml.c", tmp_path / "libnvml.so"
    source.write_text(NVML.replace("FAILS", str(fails)))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    found = nvidia.gpus((str(tmp_path / "missing.so"), str(library)))
    expected = () if fails else (nvidia.Gpu("NVIDIA H100 80GB HBM3", 85_520_809_984),)
    assert found == (() if sys.platform == "darwin" else expected)


def test_without_a_driver_there_are_no_gpus(tmp_path: Path) -> None:
    assert nvidia.gpus((str(tmp_path / "missing.so"),)) == ()


def test_this_machine_is_described_and_can_be_written_down() -> None:
    machine = describe_machine()
    assert machine.logical_cores == psutil.cpu_count()
    assert 2**28 < machine.ram_bytes <= psutil.virtual_memory().total
    if machine.performance_cores is not None and machine.physical_cores is not None:
        kinds = machine.performance_cores + (machine.efficiency_cores or 0)
        assert kinds == machine.physical_cores
    assert machine.free_disk_bytes is None or machine.free_disk_bytes > 0
    again = msgspec.json.decode(msgspec.json.encode(machine), type=MachineProfile)
    assert again == machine


def test_a_run_from_before_machines_were_looked_at_can_be_read() -> None:
    assert "torch" not in sys.modules
    old = {
        "schema": 1, "run_id": "r", "started": "2026-01-01", "command": [], "options": {},
        "normalizer": "echobench-1",
        "machine": {"system": "Linux", "chip": "x", "logical_cores": 2, "physical_cores": None,
                    "ram_bytes": 8 << 30, "load_1min": 0.0, "python": "3.11", "packages": {}},
    }  # fmt: skip
    info = msgspec.convert(old, RunInfo)
    assert info.machine.power is None
    assert info.machine.free_disk_bytes is None
    assert info.recommendation is None

"""Lists NVIDIA GPUs through the driver's management library (NVML), without a CUDA context."""

import ctypes
import sys

import msgspec

LIBRARIES = ("libnvidia-ml.so.1", "nvml.dll")
MAX_NAME = 96


class Gpu(msgspec.Struct, frozen=True):
    """A GPU that CUDA programs can use."""

    name: str
    memory_bytes: int


class _Memory(ctypes.Structure):
    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def gpus(libraries: tuple[str, ...] = LIBRARIES) -> tuple[Gpu, ...]:
    """List the GPUs; none where there is no driver, or no permission to query it."""
    if sys.platform == "darwin":
        return ()
    for library in libraries:
        try:
            nvml = ctypes.CDLL(library)
        except OSError:
            continue
        if nvml.nvmlInit_v2() != 0:
            return ()
        try:
            return tuple(_all(nvml))
        finally:
            nvml.nvmlShutdown()
    return ()


def _all(nvml: ctypes.CDLL) -> list[Gpu]:
    count = ctypes.c_uint()
    if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return []
    found = []
    for index in range(count.value):
        device, memory = ctypes.c_void_p(), _Memory()
        name = ctypes.create_string_buffer(MAX_NAME)
        failed = (
            nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device))
            or nvml.nvmlDeviceGetName(device, name, MAX_NAME)
            or nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory))
        )
        if not failed:
            found.append(Gpu(name.value.decode(errors="replace"), memory.total))
    return found

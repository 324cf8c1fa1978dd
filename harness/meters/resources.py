"""Measures CPU time, memory, threads and open files of a process and its children."""

import os
from dataclasses import dataclass

import psutil

from harness.processes.descendants import MARK, descendants

LOOK_FOR_CHILDREN_EVERY = 10


@dataclass(frozen=True)
class Usage:
    """Sums over the process tree; `open_files` is None where the system doesn't report it."""

    cpu_s: float
    rss_bytes: int
    threads: int
    open_files: int | None
    uss_bytes: int | None = None
    """Unshared memory; None where it wasn't read, or the system doesn't report it."""
    detached: int = 0
    """Processes that this one started and that have left its tree."""
    detached_cpu_s: float = 0.0


class ResourceMeter:
    """Reads the resources of this process and its children; a child counts while it lives.

    Finding children and detached processes requires listing all processes of the machine, which
    takes milliseconds. So only every tenth reading does that, and reads unshared memory.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._children: list[psutil.Process] = []
        self._detached: list[psutil.Process] = []
        self._readings = 0

    def read(self) -> Usage:
        """Read the current values."""
        lists_processes = self._readings % LOOK_FOR_CHILDREN_EVERY == 0
        self._readings += 1
        if lists_processes:
            self._children = self._process.children(recursive=True)
            tree = {self._process.pid, *(child.pid for child in self._children)}
            marked = descendants(os.environ.get(MARK, ""), self._process.create_time())
            self._detached = [process for process in marked if process.pid not in tree]
        processes = [self._process, *self._children]
        usages = [usage for process in processes if (usage := _usage(process)) is not None]
        outside = [usage for process in self._detached if (usage := _usage(process)) is not None]
        files = [usage.open_files for usage in usages]
        return Usage(
            cpu_s=sum(usage.cpu_s for usage in usages),
            rss_bytes=sum(usage.rss_bytes for usage in usages),
            threads=sum(usage.threads for usage in usages),
            open_files=None if None in files else sum(count or 0 for count in files),
            uss_bytes=_uss_bytes(processes) if lists_processes else None,
            detached=len(outside),
            detached_cpu_s=sum(usage.cpu_s for usage in outside),
        )


def _uss_bytes(processes: list[psutil.Process]) -> int | None:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue  # it has ended
        except (psutil.Error, OSError):
            return None  # no permission
    return total


def _usage(process: psutil.Process) -> Usage | None:
    try:
        with process.oneshot():
            times = process.cpu_times()
            return Usage(
                cpu_s=times.user + times.system,
                rss_bytes=process.memory_info().rss,
                threads=process.num_threads(),
                open_files=process.num_fds() if hasattr(process, "num_fds") else None,
            )
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None  # it has ended

"""What a process and its children use of the machine."""

from dataclasses import dataclass

import psutil

LOOK_FOR_CHILDREN_EVERY = 10


@dataclass(frozen=True)
class Usage:
    """Sums over the process tree; `open_files` is None where the system doesn't tell."""

    cpu_s: float
    rss_bytes: int
    threads: int
    open_files: int | None


class ResourceMeter:
    """Reads the use of this process and its children; a child counts while it lives.

    To find children, all processes of the machine have to be looked at, which costs milliseconds;
    so that is done only at every tenth reading.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._children: list[psutil.Process] = []
        self._readings = 0

    def read(self) -> Usage:
        """Read now."""
        if self._readings % LOOK_FOR_CHILDREN_EVERY == 0:
            self._children = self._process.children(recursive=True)
        self._readings += 1
        processes = [self._process, *self._children]
        usages = [usage for process in processes if (usage := _usage(process)) is not None]
        files = [usage.open_files for usage in usages]
        return Usage(
            cpu_s=sum(usage.cpu_s for usage in usages),
            rss_bytes=sum(usage.rss_bytes for usage in usages),
            threads=sum(usage.threads for usage in usages),
            open_files=None if None in files else sum(count or 0 for count in files),
        )


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
        return None  # it ended while we looked

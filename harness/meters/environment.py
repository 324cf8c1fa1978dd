"""Measures the machine's state outside a trial: other programs, power, heat and sleep."""

import os
import sys
import time

import psutil

from harness.journal.events import Surroundings
from harness.machine import hardware

EVERY_S = 1.0


class SurroundingsMeter:
    """Reads the state of the machine; its counters start at the first reading."""

    def __init__(self) -> None:
        self._first: tuple[float, float, float] | None = None  # wall, suspended, idle
        self._busy_s = self._own_s = self._others_s = 0.0
        self._read_at_s = float("-inf")

    def is_due(self) -> bool:
        """Whether a second has passed since the last reading, on the wall clock."""
        return time.monotonic() - self._read_at_s >= EVERY_S

    def read(self, own_cpu_s: float) -> Surroundings:
        """Read the current state, with the trial's time left at 0.

        Args:
            own_cpu_s: CPU seconds of this process and its children since it began.
        """
        wall_s, asleep_s = time.monotonic(), suspended_s()
        cores, busy_s, idle_s = cpu_times_s()
        if self._first is None:
            self._first = wall_s, asleep_s, idle_s
        else:
            # Per interval, since the CPU time of a child that ended leaves our own sum.
            own_s = max(0.0, own_cpu_s - self._own_s)
            self._others_s += max(0.0, busy_s - self._busy_s - own_s)
        self._busy_s, self._own_s, self._read_at_s = busy_s, own_cpu_s, wall_s
        first_wall_s, first_asleep_s, first_idle_s = self._first
        heat = hardware.heat()
        return Surroundings(
            at_s=0.0,
            wall_s=wall_s - first_wall_s,
            suspended_s=asleep_s - first_asleep_s,
            cores=cores,
            others_cpu_s=self._others_s,
            idle_cpu_s=idle_s - first_idle_s,
            on_battery=hardware.on_battery(),
            throttle_count=heat.throttle_count,
            thermal_pressure=heat.pressure,
        )


def suspended_s() -> float:
    """How long the machine has slept since it started: the difference of two system clocks."""
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.clock_gettime(time.CLOCK_UPTIME_RAW)
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def cpu_times_s() -> tuple[int, float, float]:
    """The number of cores that this process may use, and their busy and idle seconds."""
    times = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        allowed = os.sched_getaffinity(0)
        times = [each for cpu, each in enumerate(times) if cpu in allowed] or times
    idle_s = sum(each.idle + getattr(each, "iowait", 0.0) for each in times)
    # The time of guests is included in the user's time.
    all_s = sum(sum(each) - getattr(each, "guest", 0.0) - getattr(each, "guest_nice", 0.0)
                for each in times)  # fmt: skip
    return len(times), all_s - idle_s, idle_s

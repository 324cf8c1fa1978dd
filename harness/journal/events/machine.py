"""Events of the machine: its profile, its state, and the resources of the worker's processes."""

import msgspec

from harness.contract import ASRHealth
from harness.journal.events.base import Duration, Event, Moment
from harness.machine.profile import MachineProfile


class SideEffects(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Counts of side effects since the process began."""

    spawns: int = 0
    """Processes that were started."""
    files_created: int = 0
    """Files that were opened in a mode that creates them."""
    references_read: int = 0
    """Files of the corpus that were opened; a recogniser must not know its transcripts."""


class MachineSeen(Event, frozen=True, tag="machine_seen"):
    """The machine that the trial runs on; each trial of a worker repeats this event."""

    machine: MachineProfile


class Sampled(Event, frozen=True, tag="sampled"):
    """The state of the provider and the worker's processes, once a second."""

    at_s: Moment
    health: ASRHealth
    handed_over: dict[str, int]
    """Samples that the provider has taken, by source."""
    cpu_s: Duration
    """CPU seconds of the worker and its children since it started."""
    rss_bytes: int
    threads: int
    open_files: int | None
    """None where the system doesn't report it."""
    uss_bytes: int | None = None
    """Unshared memory of the process tree; read only in some samples, since it is slow."""
    detached: int = 0
    """Processes that the worker started and that have left its process tree."""
    detached_cpu_s: Duration = 0.0
    stall_s: Duration = 0.0
    """The longest time since the previous sample that the event loop was blocked."""
    side_effects: SideEffects = SideEffects()
    """Side effects of the worker since it started."""


class Surroundings(Event, frozen=True, tag="surroundings"):
    """The state of the machine outside the trial, at most once a second by the wall clock.

    Counters start at 0 with the trial's first event. None where the system doesn't report a value.
    """

    at_s: Moment
    wall_s: Duration
    """On the wall clock, also in trials on the virtual clock."""
    suspended_s: Duration
    """How long the machine slept."""
    cores: int
    """Logical cores that this process may use; the next two fields are sums over them."""
    others_cpu_s: Duration
    """CPU seconds of all other programs, including the system's own."""
    idle_cpu_s: Duration
    on_battery: bool | None
    throttle_count: int | None
    """How often heat slowed a processor down (Linux)."""
    thermal_pressure: int | None
    """How much heat slows the machine down, from 0 to 4 (macOS)."""

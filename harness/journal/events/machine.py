"""Events of the machine: what it is, and how it and the worker's processes do."""

import msgspec

from harness.contract import ASRHealth
from harness.journal.events.base import Duration, Event, Moment
from harness.machine.profile import MachineProfile


class SideEffects(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What was noted since the process began."""

    spawns: int = 0
    """Processes that were started."""
    files_created: int = 0
    """Files that were opened to be made, if need be, and written."""
    references_read: int = 0
    """Looks into the corpus, whose transcripts a recogniser must not know."""


class MachineSeen(Event, frozen=True, tag="machine_seen"):
    """The machine that the trial runs on; each trial of a worker repeats it."""

    machine: MachineProfile


class Sampled(Event, frozen=True, tag="sampled"):
    """The state of things, once a second."""

    at_s: Moment
    health: ASRHealth
    handed_over: dict[str, int]
    """Samples that the provider has taken, by source."""
    cpu_s: Duration
    """CPU seconds of the worker and its children since it started."""
    rss_bytes: int
    threads: int
    open_files: int | None
    """None where the system doesn't tell."""
    uss_bytes: int | None = None
    """Memory that belongs to the process tree alone; asked for now and then, since it is slow."""
    detached: int = 0
    """Processes that the worker started and that have left its process tree."""
    detached_cpu_s: Duration = 0.0
    stall_s: Duration = 0.0
    """The longest time since the sample before in which the event loop could not turn."""
    side_effects: SideEffects = SideEffects()
    """What the worker has done since it started."""


class Surroundings(Event, frozen=True, tag="surroundings"):
    """How the machine does beside the trial, once a second by the wall's clock at most.

    Counters begin at 0 with the trial's first one. None where the system doesn't tell.
    """

    at_s: Moment
    wall_s: Duration
    """On the wall's clock, which doesn't stop while the trial's skips."""
    suspended_s: Duration
    """How long the machine slept."""
    cores: int
    """Logical, of those that this process may use; the next two are summed over them."""
    others_cpu_s: Duration
    """CPU seconds of all other programs, the system's own included."""
    idle_cpu_s: Duration
    on_battery: bool | None
    throttle_count: int | None
    """How often heat slowed a processor down (Linux)."""
    thermal_pressure: int | None
    """How much heat slows the machine down, from 0 to 4 (macOS)."""

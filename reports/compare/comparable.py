"""Checks whether two runs are comparable, and matches their trials."""

from collections.abc import Iterator
from itertools import product

import msgspec

from harness.clock import ClockKind
from harness.errors import UsageError
from harness.journal.run_folder import RunInfo
from harness.machine.profile import MachineProfile
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from reports.runs import Run

Pair = tuple[TrialResult, TrialResult]


def machine_class(machine: MachineProfile) -> str:
    """Return the class of machines with comparable figures: chip, cores, memory and system.

    The system's release isn't part of it, since it changes with every update; see `run.json`.

    >>> machine_class(MachineProfile(system="Linux 6.1.0-fc x86_64", chip="AMD EPYC",
    ...     logical_cores=4, physical_cores=2, ram_bytes=25 * 10**9, load_1min=0.5,
    ...     python="3.11.7", packages={}))
    'AMD EPYC, 2/4 cores, 23 GiB, Linux x86_64'
    """
    words = machine.system.split(" ")
    cores = f"{machine.physical_cores or '?'}/{machine.logical_cores} cores"
    memory = f"{machine.ram_bytes / 2**30:.0f} GiB"
    return f"{machine.chip}, {cores}, {memory}, {words[0]} {words[-1]}"


def require_comparable(base: Run, head: Run) -> list[Pair]:
    """Match the trials of two runs.

    Returns:
        The pairs of successful trials that measured the same thing, base first.

    Raises:
        UsageError: The runs differ in something that figures depend on, or share no trial.
    """
    where = f"runs {base.info.run_id} and {head.info.run_id}"
    for what, first, second in differing(base.info, head.info):
        raise UsageError(where, f"{what}: {first!r} and {second!r}",
                         "runs that differ only in what is compared")  # fmt: skip
    played = [[each for each in run.results if each.spec.activity is Activity.SCENARIO]
              for run in (base, head)]  # fmt: skip
    matched = [
        (one, other) for one, other in product(*played) if same_subject(one.spec, other.spec)
    ]
    for one, other in matched:
        if one.spec.clock != other.spec.clock:
            problem = f"clock of {one.spec.name}: '{one.spec.clock}' and '{other.spec.clock}'"
            raise UsageError(where, problem, "runs on the same clock")
    measured = [pair for pair in matched if all(each.status is TrialStatus.OK for each in pair)]
    if not measured:
        names = ["; ".join(result.spec.name for result in run.results) or "none"
                 for run in (base, head)]  # fmt: skip
        problem = f"no trial that both completed; theirs: {names[0]} | {names[1]}"
        raise UsageError(where, problem, "runs with the same provider, model, chunk size, scenario,"
                         " corpus and seed")  # fmt: skip
    return measured


def same_subject(base: TrialSpec, head: TrialSpec) -> bool:
    """Return whether two trials measured the same thing in the same way, on any clock."""
    return _subject(base) == _subject(head)


def _subject(spec: TrialSpec) -> TrialSpec:
    """Return a trial's spec without the clock, which is compared separately, and the title."""
    untitled = msgspec.structs.replace(spec.scenario, title="")
    return msgspec.structs.replace(spec, clock=ClockKind.VIRTUAL, scenario=untitled)


def differing(base: RunInfo, head: RunInfo) -> Iterator[tuple[str, str, str]]:
    """Yield what two runs differ in, of what figures depend on: its name, base's and head's."""
    pairs = [
        ("schema", str(base.schema), str(head.schema)),
        ("machine", machine_class(base.machine), machine_class(head.machine)),
        ("text normaliser", base.normalizer, head.normalizer),
    ]
    pairs += [
        (f"contents of {name}", base.inputs[name].sha256[:16], head.inputs[name].sha256[:16])
        for name in sorted(base.inputs.keys() & head.inputs.keys())
    ]
    return ((what, one, other) for what, one, other in pairs if one != other)

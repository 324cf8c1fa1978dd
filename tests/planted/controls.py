"""Sound providers of several shapes, which no threshold may take for faulty."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from harness.clock import ClockKind
from harness.plugin.fixtures import describe
from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.verdict import VerdictLevel
from tests.planted.defects import HEALTHY, Ground, Plant, measured

BUSY = """
import time
while True:
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end: pass
    time.sleep(0.05)
"""
"""Takes half of a processor."""


@dataclass(frozen=True)
class Control:
    """A sound provider on a trial, alone or beside a neighbour that takes half a processor."""

    what: str
    plant: Plant
    busy: bool = False


CONTROLS = (
    Control("ordinary", Plant(HEALTHY, duration_s=300.0)),
    Control("ordinary, probed", Plant(HEALTHY, activity=Activity.RESIDENCY)),
    Control("large fixed cost", Plant(HEALTHY, settings={"fixed_s": 0.35, "per_s": 0.01,
                                                         "load_s": 1.0})),
    Control("large fixed cost, probed",
            Plant(HEALTHY, activity=Activity.RESIDENCY,
                  settings={"fixed_s": 0.35, "per_s": 0.01, "load_s": 1.0})),
    Control("long silences", Plant(HEALTHY, "silence_heavy", vad="loudness")),
    Control("two sources", Plant(HEALTHY, "two_sources", duration_s=600.0)),
    Control("markers", Plant(HEALTHY, "markers", duration_s=2400.0, chunk_s=1.0)),
    Control("slow start with a warm-up", Plant(HEALTHY, settings={"warm_up_s": 0.8})),
    Control("beside a busy neighbour", Plant(HEALTHY, duration_s=120.0), busy=True),
    Control("beside a busy neighbour, probed",
            Plant(HEALTHY, activity=Activity.RESIDENCY), busy=True),
    Control("beside a busy neighbour, in real time",
            Plant(HEALTHY, duration_s=10.0, clock=ClockKind.WALL), busy=True),
)  # fmt: skip


def false_alarms(count: int, ground: Ground, folder: Path) -> tuple[list[str], int]:
    """Try the controls, each as often as the others, with a new seed each time.

    Returns:
        What was wrongly called a failure, and how many trials there were.
    """
    alarms = []
    tried = list(islice(cycle(CONTROLS), count))
    for busy in (False, True):
        batch = [(number, control) for number, control in enumerate(tried) if control.busy is busy]
        with neighbour(busy):
            specs = {control.plant.spec(ground, number + 1).key: (number, control)
                     for number, control in batch}  # fmt: skip
            results = measured(
                [control.plant.spec(ground, number + 1) for number, control in batch],
                folder / f"controls-{busy}.jsonl",
            )
        for key, result in results.items():
            number, control = specs[key]
            failed = [describe(verdict) for verdict in result.verdicts.values()
                      if verdict.level is VerdictLevel.FAIL]  # fmt: skip
            if result.status is not TrialStatus.OK:
                failed = [result.reason]
            alarms += [f"{control.what}, seed {number + 1}: {why}" for why in failed]
    return alarms, len(tried)


@contextmanager
def neighbour(busy: bool) -> Iterator[None]:
    """Keep half of a processor busy, if asked to."""
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()

"""Whether verdicts can be trusted: every planted defect, many seeds each, and the sound controls.

    python -m tests.planted.trust [--seeds 20] [--controls 200]

Prints a row for each defect: the threshold that must see it, what it saw, and how often. A defect
that only another threshold sees counts as missed.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.runner.validity import VARIABLE as VALIDITY
from harness.specs.trial import TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.verdict import VerdictLevel
from tests.planted import slowdown
from tests.planted.controls import CONTROLS, false_alarms
from tests.planted.defects import DEFECTS, Defect, Ground, measured
from tests.trials import STAND_INS

SLOWDOWN = Defect(
    slowdown.NUMBER, "a fifth slower with each decode", slowdown.BASE, "gate: inference"
)


@dataclass(frozen=True)
class Sight:
    """What was seen of a defect with one seed."""

    caught: bool
    value: str
    limit: str


def sight_of(defect: Defect, result: TrialResult) -> Sight:
    """Look for the defect where it must be seen."""
    if result.status is not TrialStatus.OK:
        return Sight(False, f"{result.status}: {result.reason[:60]}", "a trial that ends well")
    if defect.seen_by in result.checks:
        return Sight(not result.checks[defect.seen_by].passed, "broken", "kept")
    verdict = result.verdicts[defect.seen_by]
    value = "none" if verdict.value is None else f"{verdict.value:.3g}"
    seen = verdict.level in (VerdictLevel.SUSPECT, VerdictLevel.FAIL)
    return Sight(seen, value, str(verdict.minimum))


def try_defect(defect: Defect, seeds: Iterable[int], ground: Ground, folder: Path) -> list[Sight]:
    """Try a defect with every seed, in one run."""
    specs = [defect.plant.spec(ground, seed) for seed in seeds]
    results = measured(specs, folder / f"defect-{defect.number}.jsonl")
    return [sight_of(defect, results[spec.key]) for spec in specs]


def slowdown_of(seed: int, ground: Ground, folder: Path) -> Sight:
    """Try the slowdown, which takes a gate to be seen, with a seed."""
    seen = slowdown.try_slowdown(seed, ground, folder)
    return Sight(seen.caught, f"x {seen.decision.ratio:.2f}", f"< {seen.limit:g}")


def row(defect: Defect, sights: Sequence[Sight]) -> str:
    """A line of the table."""
    caught = sum(sight.caught for sight in sights)
    typical = sights[len(sights) // 2]
    return (
        f"{defect.number:>2}  {defect.what:<40.40} {defect.seen_by:<22} "
        f"{typical.value:>8} {typical.limit:>8}  {caught}/{len(sights)}"
    )


def main() -> int:
    """Run everything; 0 if every defect was caught every time, and the controls are quiet."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted.trust", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--controls", type=int, default=200)
    parser.add_argument("--only", type=int, action="append", help="a defect's number; repeatable")
    options = parser.parse_args()
    sys.path.insert(0, str(STAND_INS))
    # Trials run side by side here, and each is the other's neighbour; their times are made.
    os.environ.setdefault(VALIDITY, '{"others_share": 1}')
    chosen = [each for each in DEFECTS if not options.only or each.number in options.only]
    missed = 0
    print(f"{'#':>2}  {'defect':<40} {'seen by':<22} {'value':>8} {'limit':>8}  caught")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(os.cpu_count()) as threads:
        folder = Path(name)
        ground = Ground.lay(folder)
        seeds = range(1, options.seeds + 1)
        tried = threads.map(lambda each: try_defect(each, seeds, ground, folder), chosen)
        for defect, sights in zip(chosen, tried, strict=True):
            print(row(defect, sights), flush=True)
            missed += sum(not sight.caught for sight in sights)
        if not options.only or slowdown.NUMBER in options.only:
            sights = list(threads.map(lambda seed: slowdown_of(seed, ground, folder), seeds))
            print(row(SLOWDOWN, sights), flush=True)
            missed += sum(not sight.caught for sight in sights)
        alarms, count = false_alarms(options.controls, ground, folder)
    print(f"controls: {len(CONTROLS)} sound shapes, {count} trials, {len(alarms)} false alarms")
    for alarm in alarms:
        print(f"    {alarm}")
    return int(missed > 0 or len(alarms) > max(1, count // 200))


if __name__ == "__main__":
    sys.exit(main())

"""Whether figures are the same on both clocks: the same minute, virtual and in real time, in turns.

    python -m tests.clock_check [--repeats 3] [--provider whisper_cpp,faster_whisper]

Prints each judged figure on both clocks and the median of their ratios. A figure that disagrees has
to be marked `clocks = ["wall"]` in suites/thresholds.toml; one that does and isn't is an error.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.clock import ClockKind
from harness.runner.plan import vad_for
from harness.specs.scenario import find_scenario
from harness.specs.trial import TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, Threshold, read_thresholds
from tests.trials import run_of

SCENARIOS = ("speech_heavy", "two_sources", "silence_heavy", "markers")
DURATION_S = 60.0
WITHIN = 0.15
"""Relative; a busy machine makes less a matter of luck."""
NOTHING = {"s": 0.02, "1": 0.01, "chunks": 0.05, "s/s": 0.001, "ppm": 40.0, "s/chunk": 0.005,
           "threads": 1.0}  # fmt: skip
"""By unit, differences that are no more than what two runs on one clock have."""
ONCE_A_WORKER = {"startup_time", "first_vs_steady"}
"""Measured at loading, on the wall clock whatever the trial's is."""


def specs_of(provider: str, repeats: int) -> list[TrialSpec]:
    """The trials, virtual and wall by turns."""
    specs = []
    for seed in range(1, repeats + 1):
        for name in SCENARIOS:
            scenario = msgspec.structs.replace(find_scenario(name), duration_s=DURATION_S)
            specs += [
                TrialSpec(
                    provider=provider,
                    model="embedded",
                    chunk_seconds=2.0,
                    scenario=scenario,
                    corpus="embedded",
                    clock=clock,
                    seed=seed,
                    vad=vad_for(scenario, None),
                )
                for clock in ClockKind
            ]
    return specs


def pairs_of(
    results: Sequence[TrialResult], threshold: Threshold
) -> tuple[str, list[tuple[float, float]]]:
    """The threshold's unit, and its figures on the virtual and on the wall clock, by trial."""
    by_trial: dict[tuple[str, int], dict[ClockKind, float]] = {}
    unit = ""
    for result in results:
        if result.status is TrialStatus.OK and threshold.applies_to(result.spec):
            verdict = result.verdicts[threshold.name]
            unit, value = verdict.unit, verdict.value
            too_few = result.measurements[threshold.metric].needed is not None
            if value is not None and not too_few:
                trial = (result.spec.scenario.name, result.spec.seed)
                by_trial.setdefault(trial, {})[result.spec.clock] = value
    return unit, [
        (both[ClockKind.VIRTUAL], both[ClockKind.WALL])
        for both in by_trial.values()
        if len(both) == len(ClockKind)
    ]


def agree(unit: str, virtual: float, wall: float) -> bool:
    """Tell whether two figures are the same for all that matters.

    >>> agree("s", 1.00, 1.10), agree("s", 1.0, 1.3), agree("chunks", 0.0, 0.0)
    (True, False, True)
    """
    if virtual == wall:
        return True
    return abs(virtual - wall) <= max(NOTHING.get(unit, 0.0), WITHIN * max(virtual, wall))


def check(provider: str, repeats: int, folder: Path) -> int:
    """Measure, print and count disagreements that aren't marked."""
    thresholds = read_thresholds(FILE)
    records = run_of(specs_of(provider, repeats), folder / f"{provider}.jsonl")
    on_all_clocks = {name: msgspec.structs.replace(threshold, clocks=tuple(ClockKind))
                     for name, threshold in thresholds.items()}  # fmt: skip
    results = list(evaluate(records, on_all_clocks).values())
    for result in results:
        if result.status is not TrialStatus.OK:
            print(f"{result.spec.name}, {result.spec.clock} clock: {result.reason}")
    print(f"\n{provider:<28}{'unit':>8}{'virtual':>11}{'wall':>11}{'ratio':>8}")
    unmarked = 0
    for name, threshold in thresholds.items():
        unit, pairs = pairs_of(results, on_all_clocks[name])
        if not pairs or threshold.metric in ONCE_A_WORKER:
            continue
        virtual, wall = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = f"{virtual / wall:.2f}" if wall else "-"
        same, marked = agree(unit, virtual, wall), ClockKind.VIRTUAL not in threshold.clocks
        note = "" if same else "  wall only" if marked else "  DISAGREE: mark it wall only"
        print(f"{threshold.name:<28}{unit:>8}{virtual:>11.4g}{wall:>11.4g}{ratio:>8}{note}")
        unmarked += not same and not marked
    return unmarked


def main() -> int:
    """Check the providers that were asked for; 0 if all figures agree or are marked."""
    parser = argparse.ArgumentParser(prog="python -m tests.clock_check", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--provider", default="whisper_cpp,faster_whisper")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        unmarked = sum(
            check(provider, options.repeats, Path(folder))
            for provider in options.provider.split(",")
        )
    return int(unmarked > 0)


if __name__ == "__main__":
    sys.exit(main())

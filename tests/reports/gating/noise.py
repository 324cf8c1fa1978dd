"""Run times as a shared runner gives them, as far as can be made up.

A session's own speed (5 %), a drift in it (AR(1), 3 %), jitter of each run (3 %), and now and then
a run that something else slowed down (5 % of them, by 1.2 to 2 times).
"""

from collections.abc import Iterator

import numpy as np

from reports.gating.schedule import Arm, turns

SESSION, DRIFT, JITTER, SPIKES, SPIKE = 0.05, 0.03, 0.03, 0.05, (1.2, 2.0)
DRIFT_KEPT = 0.9
"""Share of the drift that is still there at the next run."""


def run_times(generator: np.random.Generator) -> Iterator[float]:
    """Run times of one session, without end, of something that takes 1 s on average."""
    session = generator.normal(0, SESSION)
    drift = generator.normal(0, DRIFT)
    while True:
        drift = DRIFT_KEPT * drift + generator.normal(0, DRIFT * np.sqrt(1 - DRIFT_KEPT**2))
        spike = generator.uniform(*SPIKE) if generator.random() < SPIKES else 1.0
        yield float(np.exp(session + drift + generator.normal(0, JITTER))) * spike


def measured_pairs(
    generator: np.random.Generator, cost: float, pairs: int, repeats: int = 3
) -> list[tuple[float, float]]:
    """What a gate measures of a head that takes `cost` times as long as its base."""
    times = run_times(generator)
    measured = []
    for pair in range(pairs):
        taken: dict[Arm, list[float]] = {arm: [] for arm in Arm}
        for arm in turns(pair, repeats, control=False):
            taken[arm].append(next(times) * (cost if arm is Arm.HEAD else 1.0))
        base, head = (float(np.median(taken[arm])) for arm in (Arm.BASE, Arm.HEAD))
        measured.append((base, head))
    return measured

"""Whether the model stays loaded: does a chunk's cost stay what it was?"""

import math

import numpy as np
from numpy.typing import NDArray

from harness.journal.events import Inferred, Loaded
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import theil_sen

Floats = NDArray[np.floating]

CHUNKS_NEEDED = 60
WARM_UP = 3
MAX_PAIRS_OF = 400
"""Inferences that a line is fitted through; more only cost time."""


@metric
def residency_slope(log: TrialLog) -> Measurement:
    """Growth of inference time from chunk to chunk, as R-R1 has it: Theil-Sen slope.

    Over chunks of equal length, the first few left out. A provider that reloads at every chunk has
    slope 0, so this alone proves nothing.
    """
    costs_s = [chunk.inference_s for chunk in log.full_chunks if chunk.inferences][WARM_UP:]
    if len(costs_s) < 2:
        return Measurement(unit="s/chunk", absent="fewer than two decoded chunks of full size")
    short = len(costs_s) < CHUNKS_NEEDED - WARM_UP
    return Measurement(
        unit="s/chunk",
        value=theil_sen(costs_s),
        count=len(costs_s),
        needed=CHUNKS_NEEDED if short else None,
    )


@metric
def first_vs_steady(log: TrialLog) -> Measurement:
    """How many times longer the provider's very first inference took than later ones like it.

    A provider that says it is ready and then loads at the first chunk shows up here. What a later
    inference on as much audio takes is read off a line fitted through all of them.
    """
    loaded = log.of(Loaded)
    steady = log.of(Inferred)[WARM_UP:]
    if not loaded or not loaded[0].probe_inference_s:
        return Measurement(unit="1", absent="the first inference was not seen")
    if not steady:
        return Measurement(unit="1", absent=f"no inference after the first {WARM_UP}")
    first_s, window_s = loaded[0].probe_inference_s[0], loaded[0].probe_window_s[0]
    windows = np.array([inferred.window_s for inferred in steady[-MAX_PAIRS_OF:]])
    costs = np.array([inferred.end_s - inferred.begin_s for inferred in steady[-MAX_PAIRS_OF:]])
    expected_s = line_at(windows, costs, window_s)
    short = len(steady) < CHUNKS_NEEDED - WARM_UP
    return Measurement(
        unit="1",
        value=first_s / expected_s if expected_s else math.inf,
        count=len(steady),
        needed=CHUNKS_NEEDED if short else None,
    )


def line_at(x: Floats, y: Floats, at: float) -> float:
    """Value at a point of the Theil-Sen line through (x, y); y's median where x doesn't vary.

    >>> line_at(np.array([1.0, 2, 3, 4, 5, 6]), np.array([1.0, 2, 3, 4, 5, 60]), at=7.0)
    7.0
    """
    i, j = np.triu_indices(len(x), k=1)
    run = x[j] - x[i]
    if not run.any():
        return float(np.median(y))
    slope = float(np.median(((y[j] - y[i])[run != 0]) / run[run != 0]))
    return max(float(np.median(y - slope * x)) + slope * at, float(y.min()))

"""Metrics of residency from ordinary trials: growth of inference time, and the first inference."""

import math

import numpy as np
from numpy.typing import NDArray

from harness.journal.events import Inferred, Loaded
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import robust_line, theil_sen

Floats = NDArray[np.floating]

CHUNKS_NEEDED = 60
WARM_UP = 3
MAX_PAIRS_OF = 400
"""Inferences that a line is fitted to; more only cost time."""


@metric
def residency_slope(log: TrialLog) -> Measurement:
    """Growth of inference time per chunk, as R-R1 defines it: Theil-Sen slope.

    Over chunks of equal length, without the first few. A provider that reloads at every chunk has
    slope 0 too, so this alone proves nothing.
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
    """Duration of the provider's very first inference, relative to later ones of the same length.

    It shows a provider that reports to be ready and then loads at the first chunk. The duration of
    later inferences on as much audio is taken from a line fitted to all of them.
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
    """The Theil-Sen line's value at a point, at least y's minimum; y's median for a constant x.

    >>> line_at(np.array([1.0, 2, 3, 4, 5, 6]), np.array([1.0, 2, 3, 4, 5, 60]), at=7.0)
    7.0
    """
    if not np.ptp(x):
        return float(np.median(y))
    return max(robust_line(x, y).at(at), float(y.min()))

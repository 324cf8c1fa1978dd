"""Metric of the memory that a provider needs."""

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog


@metric
def memory_peak(log: TrialLog) -> Measurement:
    """Peak memory of the worker and its children in GB, including the model.

    The sum of their resident sets, sampled once a second: shared pages count for each process, and
    GPU memory isn't included.
    """
    samples = log.of(Sampled)
    if not samples:
        return Measurement(unit="GB", absent="the trial was too short to be sampled")
    peak_bytes = max(sample.rss_bytes for sample in samples)
    return Measurement(unit="GB", value=peak_bytes / 1e9, count=len(samples))

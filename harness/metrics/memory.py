"""How much memory the provider needs."""

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog


@metric
def memory_peak(log: TrialLog) -> Measurement:
    """The most memory, in GB, that the worker and its children held at once, model and all.

    The sum of their resident sets, sampled once a second: pages that several share count for each,
    and what only a GPU holds isn't in it.
    """
    samples = log.of(Sampled)
    if not samples:
        return Measurement(unit="GB", absent="the trial was too short to be sampled")
    peak_bytes = max(sample.rss_bytes for sample in samples)
    return Measurement(unit="GB", value=peak_bytes / 1e9, count=len(samples))

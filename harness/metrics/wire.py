"""Whether what a client is told over the wire is what the harness measured."""

from bisect import bisect_right
from itertools import accumulate

from harness.audio import SAMPLE_RATE_HZ
from harness.journal.events import ClientMetrics, Inferred
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog

AFTER_S = 5.0
"""Before, a report rests on too few inferences to be compared."""


@metric
def wire_health_error(log: TrialLog) -> Measurement:
    """How far the real-time factor that a client is told is from the one measured, relatively.

    Told: the provider's own, since the session began. Measured: the engine's seconds that ended
    until then, over the audio that was dealt with until then. One sample a report.
    """
    reports = log.of(ClientMetrics)
    if not reports:
        return Measurement(unit="1", absent="nothing was reported over a wire")
    spans = sorted(log.of(Inferred), key=lambda span: span.end_s)
    ends_s = [span.end_s for span in spans]
    spent_s = [0.0, *accumulate(span.end_s - span.begin_s for span in spans)]
    errors = []
    for report in reports:
        settled = sum(account.decoded + account.skipped for account in report.health.audio.values())
        measured_s = spent_s[bisect_right(ends_s, report.at_s)]
        told = report.health.realtime_factor
        if report.at_s >= AFTER_S and settled and measured_s and told is not None:
            measured = measured_s * SAMPLE_RATE_HZ / settled
            errors.append(abs(told - measured) / measured)
    return sampled("1", errors, "no report came after the first inferences")

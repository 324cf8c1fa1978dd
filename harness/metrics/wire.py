"""Metric of the live server: the accuracy of the metrics that it sends to its clients."""

from bisect import bisect_right
from itertools import accumulate

from harness.audio import SAMPLE_RATE_HZ
from harness.journal.events import ClientMetrics, Inferred
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog

AFTER_S = 5.0
"""Earlier reports are based on too few inferences to be compared."""


@metric
def wire_health_error(log: TrialLog) -> Measurement:
    """Relative error of the real-time factor that the live server sends to its client.

    Sent: the provider's own, since the session began. Measured: the seconds of all inferences that
    had ended by then, over the audio that had been processed by then. One sample per report.
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
        sent = report.health.realtime_factor
        if report.at_s >= AFTER_S and settled and measured_s and sent is not None:
            measured = measured_s * SAMPLE_RATE_HZ / settled
            errors.append(abs(sent - measured) / measured)
    return sampled("1", errors, "no report came after the first inferences")

"""Metrics of external services: retried failures and the cost of recognition."""

from harness.journal.events import Inferred, Interrupted
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog

PRICE = "price_per_audio_minute"
"""The provider's option from which the cost is computed."""


@metric
def interruptions(log: TrialLog) -> Measurement:
    """Number of failed requests or connections that were retried."""
    count = len(log.of(Interrupted))
    return Measurement(unit="1", value=float(count), count=count)


@metric
def interrupted_time(log: TrialLog) -> Measurement:
    """Seconds of waiting before retries.

    They are included in the latencies of that time.
    """
    waits = log.of(Interrupted)
    waited_s = sum(wait.end_s - wait.begin_s for wait in waits)
    return Measurement(unit="s", value=waited_s, count=len(waits))


@metric
def cost_per_audio_hour(log: TrialLog) -> Measurement:
    """Cost per hour of audio, in the price's currency; silence that was not sent is free.

    The price per minute times the audio that was sent, including audio sent again, per hour that
    was played. A service that rounds up, or bills by tokens, charges a different amount.
    """
    price = log.spec.settings.get(PRICE)
    if not isinstance(price, int | float):
        return Measurement(unit="1/h", absent=f"no {PRICE} was given")
    if not log.audio_s:
        return Measurement(unit="1/h", absent="no audio was played")
    sent_s = sum(span.window_s for span in log.of(Inferred))
    sent_s += sum(wait.replayed_s for wait in log.of(Interrupted))
    return Measurement(unit="1/h", value=60 * price * sent_s / log.audio_s)

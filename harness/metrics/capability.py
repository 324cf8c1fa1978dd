"""Metrics that check whether the table of recommendations fits this machine."""

from harness.journal.events import MachineSeen
from harness.machine.recommendation import Recommendation, read_table, recommend
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.speed import rtf
from harness.metrics.triallog import TrialLog


@metric
def recommended_rtf(log: TrialLog) -> Measurement:
    """Real-time factor per chunk of the model that the table recommends for this machine.

    Measured if the trial's model is the recommended one; otherwise estimated roughly, by the
    models' relative cost. If it is slower than real time, the table is wrong for this machine.
    """
    advice = _advice(log)
    if isinstance(advice, Measurement):
        return advice
    return _scaled(log, advice.model)


@metric
def next_model_rtf(log: TrialLog) -> Measurement:
    """Real-time factor per chunk of the next larger model, estimated likewise.

    If it is much faster than real time, the table underestimates this machine.
    """
    advice = _advice(log)
    if isinstance(advice, Measurement):
        return advice
    larger = read_table().next_larger(advice.model)
    if larger is None:
        return Measurement(unit="1", absent=f"the table has no model larger than {advice.model}")
    return _scaled(log, larger)


def _advice(log: TrialLog) -> Recommendation | Measurement:
    """The recommendation for the trial's machine, or an absent measurement that says why not."""
    seen = log.of(MachineSeen)
    if not seen:
        return Measurement(unit="1", absent="the trial didn't record its machine")
    advice = recommend(seen[0].machine)
    if advice is None:
        return Measurement(unit="1", absent="the table recommends nothing for this machine")
    if advice.provider != log.spec.provider:
        problem = f"measured {log.spec.provider}, and the table recommends {advice.provider}"
        return Measurement(unit="1", absent=f"{problem}; use --provider {advice.provider}")
    return advice


def _scaled(log: TrialLog, model: str) -> Measurement:
    """The real-time factor of a model, estimated from the measured one."""
    measured = log.spec.model
    if measured == model:
        return rtf(log)
    work = read_table().work
    unknown = next((name for name in (measured, model) if name not in work), None)
    if unknown is not None:
        problem = f"the table has no relative cost of {unknown}"
        return Measurement(unit="1", absent=f"{problem}; use --model {model}")
    ratio = work[model] / work[measured]
    return sampled("1", [ratio * each for each in rtf(log).samples or ()], "no inference was seen")

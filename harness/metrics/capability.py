"""Whether the table of recommendations is right about this machine."""

from harness.journal.events import MachineSeen
from harness.machine.recommendation import Recommendation, read_table, recommend
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.speed import rtf
from harness.metrics.triallog import TrialLog


@metric
def recommended_rtf(log: TrialLog) -> Measurement:
    """The real-time factor, chunk by chunk, of the model that the table recommends here.

    Measured where the trial's model is that one; else what was measured, times what the models
    cost relative to each other, which is rough. Slower than real time: the table is wrong here.
    """
    advice = _advice(log)
    if isinstance(advice, Measurement):
        return advice
    return _scaled(log, advice.model)


@metric
def next_model_rtf(log: TrialLog) -> Measurement:
    """The real-time factor that the next larger model would have here, estimated likewise.

    Much faster than real time: the table is too modest about this machine.
    """
    advice = _advice(log)
    if isinstance(advice, Measurement):
        return advice
    larger = read_table().next_larger(advice.model)
    if larger is None:
        return Measurement(unit="1", absent=f"the table knows no model larger than {advice.model}")
    return _scaled(log, larger)


def _advice(log: TrialLog) -> Recommendation | Measurement:
    """What the table says for the trial's machine; a measurement without a figure if nothing."""
    seen = log.of(MachineSeen)
    if not seen:
        return Measurement(unit="1", absent="the trial didn't note what machine it ran on")
    advice = recommend(seen[0].machine)
    if advice is None:
        return Measurement(unit="1", absent="the table recommends nothing for this machine")
    if advice.provider != log.spec.provider:
        problem = f"measured {log.spec.provider}, and the table recommends {advice.provider}"
        return Measurement(unit="1", absent=f"{problem}; use --provider {advice.provider}")
    return advice


def _scaled(log: TrialLog, model: str) -> Measurement:
    """What was measured, carried over to a model."""
    measured = log.spec.model
    if measured == model:
        return rtf(log)
    work = read_table().work
    unknown = next((name for name in (measured, model) if name not in work), None)
    if unknown is not None:
        problem = f"the table doesn't know what {unknown} costs beside other models"
        return Measurement(unit="1", absent=f"{problem}; use --model {model}")
    ratio = work[model] / work[measured]
    return sampled("1", [ratio * each for each in rtf(log).samples or ()], "no inference was seen")

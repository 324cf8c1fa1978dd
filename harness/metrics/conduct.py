"""Forbidden side effects: what a provider must not do while audio runs, or to the event loop."""

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog

SETTLED_S = 5.0
"""What is done before, at the start of a session, is its own business."""


def _between(log: TrialLog) -> tuple[Sampled, Sampled] | None:
    """The first sample of the settled session, and the last."""
    settled = [sample for sample in log.of(Sampled) if sample.at_s >= SETTLED_S]
    return (settled[0], settled[-1]) if len(settled) > 1 else None


def _increase(log: TrialLog, unit: str, name: str) -> Measurement:
    between = _between(log)
    if between is None:
        return Measurement(unit=unit, absent=f"the trial was over {SETTLED_S:g} s after it began")
    first, last = (getattr(sample.side_effects, name) for sample in between)
    return Measurement(unit=unit, value=float(last - first), count=len(log.chunks))


@metric
def process_spawns(log: TrialLog) -> Measurement:
    """Processes that were started after the first five seconds."""
    return _increase(log, "processes", "spawns")


@metric
def files_created(log: TrialLog) -> Measurement:
    """Files that were made after the first five seconds, such as one for each chunk."""
    return _increase(log, "files", "files_created")


@metric
def references_read(log: TrialLog) -> Measurement:
    """Looks into the corpus, whose transcripts a recogniser must not know, during the session."""
    samples = log.of(Sampled)
    if not samples:
        return Measurement(unit="looks", absent="the trial was too short to be sampled")
    looks = samples[-1].side_effects.references_read - samples[0].side_effects.references_read
    return Measurement(unit="looks", value=float(looks), count=len(samples))


@metric
def detached_cpu(log: TrialLog) -> Measurement:
    """CPU seconds, per second of audio, of processes that the provider moved out of its own tree.

    They are found by an environment variable that a worker's processes inherit.
    """
    between = _between(log)
    if between is None or not log.audio_s:
        absent = f"the trial was over {SETTLED_S:g} s after it began"
        return Measurement(unit="s/s", absent=absent)
    used_s = max(sample.detached_cpu_s for sample in log.of(Sampled))
    return Measurement(unit="s/s", value=used_s / log.audio_s, count=len(log.of(Sampled)))


@metric
def loop_stall(log: TrialLog) -> Measurement:
    """The longest time, in each second, in which the event loop could not turn; in real time.

    Meanwhile no audio is taken, no caption goes out and no message is answered.
    """
    stalls_s = [sample.stall_s for sample in log.of(Sampled)[1:]]
    return sampled("s", stalls_s, "fewer than two samples of the session")


@metric
def reported_inference_share(log: TrialLog) -> Measurement:
    """Inference seconds that the provider tells of, as a share of the seconds it kept chunks.

    With one source, a provider that computes in place has little else to do with a chunk.
    """
    if len(log.sources) > 1:
        return Measurement(unit="1", absent="two sources wait for one another")
    busy = [chunk for chunk in log.chunks if chunk.inferences and chunk.finished_s is not None]
    held_s = sum((chunk.finished_s or 0.0) - (chunk.begun_s or 0.0) for chunk in busy)
    if not held_s or held_s < log.audio_s / 100:
        return Measurement(unit="1", absent="chunks were kept for less than 1 % of the time")
    return Measurement(
        unit="1", value=sum(chunk.inference_s for chunk in busy) / held_s, count=len(busy)
    )


@metric
def health_error(log: TrialLog) -> Measurement:
    """How far the real-time factor in the provider's health is from the measured one, relative."""
    samples = log.of(Sampled)
    taken = [chunk for chunk in log.chunks if not chunk.dropped]
    spent_s = sum(chunk.inference_s for chunk in taken)
    heard_s = sum(chunk.audio_s for chunk in taken)
    claimed = samples[-1].health.realtime_factor if samples else None
    if claimed is None or not spent_s:
        return Measurement(unit="1", absent="no inference was seen, or none is claimed")
    return Measurement(unit="1", value=abs(claimed * heard_s / spent_s - 1), count=len(taken))

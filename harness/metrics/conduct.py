"""Metrics of forbidden side effects: processes, files, detached CPU time, a blocked event loop."""

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog

SETTLED_S = 5.0
"""Side effects in the first seconds of a session are allowed."""
TOO_SHORT = f"the trial was over {SETTLED_S:g} s after it began"


def _between(log: TrialLog) -> tuple[Sampled, Sampled] | None:
    """The first and the last sample after `SETTLED_S`."""
    settled = [sample for sample in log.of(Sampled) if sample.at_s >= SETTLED_S]
    return (settled[0], settled[-1]) if len(settled) > 1 else None


def _increase(log: TrialLog, unit: str, name: str) -> Measurement:
    between = _between(log)
    if between is None:
        return Measurement(unit=unit, absent=TOO_SHORT)
    first, last = (getattr(sample.side_effects, name) for sample in between)
    return Measurement(unit=unit, value=float(last - first), count=len(log.chunks))


@metric
def process_spawns(log: TrialLog) -> Measurement:
    """Processes that were started after the first five seconds."""
    return _increase(log, "processes", "spawns")


@metric
def files_created(log: TrialLog) -> Measurement:
    """Files that were created after the first five seconds, such as one per chunk."""
    return _increase(log, "files", "files_created")


@metric
def references_read(log: TrialLog) -> Measurement:
    """Files of the corpus that were opened during the session; it contains the transcripts."""
    samples = log.of(Sampled)
    if not samples:
        return Measurement(unit="looks", absent="the trial was too short to be sampled")
    opened = samples[-1].side_effects.references_read - samples[0].side_effects.references_read
    return Measurement(unit="looks", value=float(opened), count=len(samples))


@metric
def detached_cpu(log: TrialLog) -> Measurement:
    """CPU seconds per second of audio of processes that left the provider's process tree.

    They are found by an environment variable that a worker's processes inherit.
    """
    if _between(log) is None or not log.audio_s:
        return Measurement(unit="s/s", absent=TOO_SHORT)
    used_s = max(sample.detached_cpu_s for sample in log.of(Sampled))
    return Measurement(unit="s/s", value=used_s / log.audio_s, count=len(log.of(Sampled)))


@metric
def loop_stall(log: TrialLog) -> Measurement:
    """The longest time, in each second, that the event loop was blocked; in real time.

    A blocked loop takes no audio, sends no caption and answers no message.
    """
    stalls_s = [sample.stall_s for sample in log.of(Sampled)[1:]]
    return sampled("s", stalls_s, "fewer than two samples of the session")


@metric
def reported_inference_share(log: TrialLog) -> Measurement:
    """Reported inference seconds as a share of the seconds that the provider kept chunks.

    With one source, a provider that computes locally spends most of that time on inference.
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
    """Relative error of the real-time factor in the provider's health."""
    samples = log.of(Sampled)
    taken = [chunk for chunk in log.chunks if not chunk.dropped]
    spent_s = sum(chunk.inference_s for chunk in taken)
    audio_s = sum(chunk.audio_s for chunk in taken)
    reported = samples[-1].health.realtime_factor if samples else None
    if reported is None or not spent_s:
        return Measurement(unit="1", absent="no inference was seen, or no factor was reported")
    return Measurement(unit="1", value=abs(reported * audio_s / spent_s - 1), count=len(taken))

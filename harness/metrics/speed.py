"""How fast the provider is: real-time factor, start-up, and whether it keeps up."""

import math
from itertools import pairwise

from harness.journal.events import (
    ChunkTaken,
    Loaded,
    Queued,
    Sampled,
    SegmentArrived,
    SessionEnded,
    SourceEnded,
)
from harness.metrics.measurement import Measurement, metric, sampled
from harness.metrics.triallog import TrialLog


@metric
def rtf(log: TrialLog) -> Measurement:
    """Inference seconds per audio second, of each chunk that was decoded; lower is faster.

    Waiting isn't in it. Chunks without an inference (silence) are left out, and so is the last one
    of a source where it is shorter than the chunk size: the stream's end cut it off.
    """
    decoded = [chunk.rtf for chunk in log.chunks if chunk.inferences and not chunk.is_tail]
    return sampled("1", decoded, "no inference was seen")


@metric
def speed(log: TrialLog) -> Measurement:
    """Audio seconds that the provider took per inference second; dropped audio isn't in it."""
    taken = [chunk for chunk in log.chunks if not chunk.dropped]
    spent_s = sum(chunk.inference_s for chunk in taken)
    if not spent_s:
        return Measurement(unit="1", absent="no inference was seen")
    audio_s = sum(chunk.audio_s for chunk in taken)
    return Measurement(unit="1", value=audio_s / spent_s, count=len(taken))


@metric
def first_chunk_latency(log: TrialLog) -> Measurement:
    """From the beginning of the first word that was said to the first text; infinite if none came.

    Silence before the first word isn't in it. Text before anyone spoke makes it negative.
    """
    onsets_s = [log.start_s[source] + onset_s for source in log.sources
                if (onset_s := log.onset_s(source)) is not None]  # fmt: skip
    if not onsets_s:
        return Measurement(unit="s", absent="nothing was spoken")
    arrived_s = next(
        (said.at_s for said in log.of(SegmentArrived) if said.segment.text.strip()), math.inf
    )
    return Measurement(unit="s", value=arrived_s - min(onsets_s), count=1)


@metric
def startup_time(log: TrialLog) -> Measurement:
    """From making the provider to the first text of a first utterance, engine import and all.

    Measured once for each worker, on the wall clock.
    """
    loaded = log.of(Loaded)
    if not loaded:
        return Measurement(unit="s", absent="the model was never loaded")
    if loaded[0].probe_s is None:
        return Measurement(unit="s", absent="the first utterance was answered with no text")
    return Measurement(unit="s", value=loaded[0].load_s + loaded[0].probe_s, count=1)


@metric
def stop_time(log: TrialLog) -> Measurement:
    """How long `stop_session` took."""
    ended = log.of(SessionEnded)
    if not ended:
        return Measurement(unit="s", absent="the session was never stopped")
    return Measurement(unit="s", value=ended[0].stop_s, count=1)


@metric
def dropped_chunks(log: TrialLog) -> Measurement:
    """Chunks that a full queue dropped."""
    dropped = sum(chunk.dropped for chunk in log.chunks)
    return Measurement(unit="chunks", value=float(dropped), count=len(log.chunks))


@metric
def queue_depth(log: TrialLog) -> Measurement:
    """Chunks that waited, averaged over time: the integral of depth, divided by the duration.

    Looking only when a chunk arrives would be biased; this isn't. Sources are added up.
    """
    total, span_s = 0.0, 0.0
    for source in log.sources:
        changes = sorted(
            [(e.at_s, e.depth) for e in log.of(Queued) if e.source == source]
            + [(e.at_s, e.depth) for e in log.of(ChunkTaken) if e.source == source],
            key=lambda change: change[0],
        )
        for (from_s, depth), (to_s, _) in pairwise(changes):
            total += depth * (to_s - from_s)
        if changes:
            span_s = max(span_s, changes[-1][0] - changes[0][0])
    if not span_s:
        return Measurement(unit="chunks", absent="fewer than two chunks were queued")
    return Measurement(unit="chunks", value=total / span_s, count=len(log.chunks))


@metric
def cpu_per_audio_second(log: TrialLog) -> Measurement:
    """CPU seconds of the worker's process tree per second of audio, model loading left out."""
    samples = log.of(Sampled)
    if len(samples) < 2 or not log.audio_s:
        return Measurement(unit="s/s", absent="fewer than two samples of the process")
    used_s = samples[-1].cpu_s - samples[0].cpu_s
    return Measurement(unit="s/s", value=used_s / log.audio_s, count=len(samples))


@metric
def feeder_lateness(log: TrialLog) -> Measurement:
    """How late captured audio was handed on, p99 of the worst source: the harness' own error."""
    played = log.of(SourceEnded)
    if not played:
        return Measurement(unit="s", absent="no source played to its end")
    return Measurement(unit="s", value=max(each.late_p99_s for each in played), count=len(played))

"""Whether everything adds up: no sample lost, no segment out of order."""

from collections import defaultdict
from collections.abc import Iterator

from harness.audio import SAMPLE_RATE_HZ
from harness.journal.events import Inferred, Queued, Sampled, Skipped, SourceEnded
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog

ROUNDING_S = 1e-6
"""A time that was moved to the trial's clock and back is no longer the same in its last digits."""
ROUNDED_SAMPLES = 16
"""Lengths of windows are told in seconds."""


@metric
def unaccounted_samples(log: TrialLog) -> Measurement:
    """Samples that are missing, or counted twice, at the worst moment of the trial.

    At every moment: handed over = received, and decoded + skipped + dropped is no more than that;
    at the end it is all of it, everything that was played was queued or filtered out before, and
    everything queued was handed over or dropped. And no more is decoded than the engine was given,
    where the provider tells of its inferences.
    """
    snapshots = log.of(Sampled)
    if not snapshots:
        return Measurement(unit="samples", absent="the trial was too short to be sampled")
    worst = max([missing_samples(log), *_never_given(log, snapshots[-1])])
    return Measurement(unit="samples", value=float(worst), count=len(snapshots))


def missing_samples(log: TrialLog) -> int:
    """The same by the provider's own account, whatever its engine was given."""
    snapshots = log.of(Sampled)
    worst = 0
    for snapshot in snapshots:
        for source, handed_over in snapshot.handed_over.items():
            account = snapshot.health.audio.get(source)
            if account is None:  # it has not asked for its first chunk
                worst = max(worst, handed_over)
            else:
                worst = max(worst, abs(handed_over - account.received), -account.pending)
    last = snapshots[-1]
    worst = max([worst, *(account.pending for account in last.health.audio.values())])
    lost_s = [chunk.audio_s for chunk in log.chunks if chunk.begun_s is None and not chunk.dropped]
    worst = max(worst, round(SAMPLE_RATE_HZ * sum(lost_s)))
    for played in log.of(SourceEnded):
        queued = sum(e.samples for e in log.of(Queued) if e.source == played.source)
        filtered = sum(e.samples for e in log.of(Skipped) if e.source == played.source)
        worst = max(worst, abs(played.samples - queued - filtered))
    return worst


def _never_given(log: TrialLog, last: Sampled) -> Iterator[int]:
    """By source, samples that are called decoded and were in no inference."""
    given_s: dict[str, float] = defaultdict(float)
    for inferred in log.of(Inferred):
        given_s[inferred.source or "default"] += inferred.window_s
    for source, account in last.health.audio.items():
        if given_s:
            yield account.decoded - round(given_s[source] * SAMPLE_RATE_HZ) - ROUNDED_SAMPLES


@metric
def out_of_order_segments(log: TrialLog) -> Measurement:
    """Segments that break the contract's order.

    That is: a final that overlaps the one before or lies behind the audio, a revision after its
    segment's final or after a later segment's beginning, and a segment that never got a final.
    """
    broken, count = 0, 0
    for source in log.sources:
        end_s = max((c.end_s for c in log.chunks if c.source == source), default=0.0)
        done: set[int] = set()
        seen: set[int] = set()
        newest = 0
        last_s = 0.0
        for _, segment in log.segments(source):
            count += 1
            broken += segment.segment_id in done or segment.segment_id < newest
            seen.add(segment.segment_id)
            newest = max(newest, segment.segment_id)
            if segment.is_final:
                done.add(segment.segment_id)
                broken += segment.t0 < last_s or segment.t1 > end_s + ROUNDING_S
                last_s = max(last_s, segment.t1)
        broken += len(seen - done)
    return Measurement(unit="segments", value=float(broken), count=count)

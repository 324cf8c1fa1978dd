"""Metrics of integrity: lost samples and segments out of order."""

from collections import defaultdict
from collections.abc import Iterator

from harness.audio import SAMPLE_RATE_HZ
from harness.journal.events import Inferred, Queued, Sampled, Skipped, SourceEnded
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog

ROUNDING_S = 1e-6
"""Converting a time to the trial's clock and back changes its last digits."""
ROUNDED_SAMPLES = 16
"""Lengths of windows are reported in seconds, and so rounded."""


@metric
def unaccounted_samples(log: TrialLog) -> Measurement:
    """Samples that are missing or counted twice, at the worst moment of the trial.

    At every moment, received has to equal the samples handed over, and decoded + skipped + dropped
    must not exceed it; at the end they have to be equal. All played samples have to be queued or
    filtered out, and all queued ones handed over or dropped. If the provider reports its
    inferences, it must not decode more than the engine was given.
    """
    snapshots = log.of(Sampled)
    if not snapshots:
        return Measurement(unit="samples", absent="the trial was too short to be sampled")
    worst = max([missing_samples(log), *_never_given(log, snapshots[-1])])
    return Measurement(unit="samples", value=float(worst), count=len(snapshots))


def missing_samples(log: TrialLog) -> int:
    """Missing or doubly counted samples by the provider's counts, without its inferences."""
    snapshots = log.of(Sampled)
    worst = 0
    for snapshot in snapshots:
        for source, handed_over in snapshot.handed_over.items():
            account = snapshot.health.audio.get(source)
            if account is None:  # the provider has not asked for its first chunk
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
    """For each source, samples that are reported as decoded but were in no inference."""
    given_s: dict[str, float] = defaultdict(float)
    for inferred in log.of(Inferred):
        given_s[inferred.source or "default"] += inferred.window_s
    for source, account in last.health.audio.items():
        if given_s:
            yield account.decoded - round(given_s[source] * SAMPLE_RATE_HZ) - ROUNDED_SAMPLES


@metric
def out_of_order_segments(log: TrialLog) -> Measurement:
    """Segments that violate the contract's order.

    These are: a final that overlaps the one before or ends after the audio, a revision after its
    segment's final or after a later segment's start, and a segment without a final.
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

"""Rules of the ladder's exercise about chunks of audio."""

from itertools import pairwise

from harness.activities.ladder_exercise.findings import Findings
from harness.audio import SAMPLE_RATE_HZ
from harness.journal.events import Dropped, Queued
from harness.ladder.actions import LONGER_BY_S
from harness.ladder.state_machine import Level
from harness.metrics.integrity import missing_samples


def chunks_get_longer_and_short_again(found: Findings) -> str | None:
    normal_s = found.spec.chunk_seconds
    for levels, wanted_s in (
        ((Level.WARNING, Level.DEGRADE, Level.EMERGENCY), normal_s + LONGER_BY_S),
        ((Level.NORMAL,), normal_s),
    ):
        for from_s, to_s in found.stays(*levels):
            sizes = {queued.samples / SAMPLE_RATE_HZ for queued in found.log.of(Queued)
                     if from_s + 2 * wanted_s < queued.at_s < to_s}  # fmt: skip
            if sizes - {wanted_s}:
                return f"{min(sizes)} to {max(sizes)} s from {from_s:.0f} s on, not {wanted_s:g} s"
    return None


def every_other_chunk_is_left_out_and_counted(found: Findings) -> str | None:
    dropped = {(event.source, event.chunk) for event in found.log.of(Dropped)}
    emergencies = found.stays(Level.EMERGENCY)
    inside = [queued for queued in found.log.of(Queued)
              if any(from_s < queued.at_s <= to_s for from_s, to_s in emergencies)]  # fmt: skip
    if not inside:
        return "there was no emergency"
    pattern = [(queued.source, queued.chunk) in dropped for queued in inside]
    if any(one == other for one, other in pairwise(pattern)):
        return f"of {len(inside)} chunks {sum(pattern)} were dropped, not every other one"
    if len(dropped) != sum(pattern):
        return f"{len(dropped) - sum(pattern)} chunks were dropped outside the emergency"
    return None


def audio_is_conserved(found: Findings) -> str | None:
    missing = missing_samples(found.log)  # works without inference events too
    return f"{missing} samples are unaccounted for" if missing else None

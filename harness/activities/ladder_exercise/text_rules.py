"""Rules of the ladder's exercise about the text."""

from harness.activities.ladder_exercise.findings import PAUSE_LIMIT_S, Findings
from harness.journal.events import ChunkTaken, Inferred, LadderMoved, Queued, SegmentArrived
from harness.ladder.actions import LONGER_BY_S
from harness.metrics.alignment import align
from harness.metrics.integrity import out_of_order_segments

NEAR_S = 3.0
"""Speech within so long before a change may not have been final."""
MAX_ERRORS_NEAR = 0.3
"""Share of wrong words; without the replay of audio that wasn't final, more would be wrong."""


def captions_do_not_pause(found: Findings) -> str | None:
    for move in found.changes():
        texts_s = [text.at_s for text in found.log.of(SegmentArrived) if text.at_s >= move.at_s]
        if not texts_s:
            return f"no text after {move.at_s:.1f} s"
        busy_s = sum(max(0.0, min(span.end_s, texts_s[0]) - max(span.begin_s, move.at_s))
                     for span in found.log.of(Inferred))  # fmt: skip
        pause_s = texts_s[0] - move.at_s - busy_s
        chunk_s = found.spec.chunk_seconds + LONGER_BY_S  # the next one may have only just begun
        if pause_s > PAUSE_LIMIT_S + chunk_s:
            return f"a pause of {pause_s:.1f} s after {move.before} > {move.after}"
    return None


def what_was_final_stays(found: Findings) -> str | None:
    broken = out_of_order_segments(found.log)
    if broken.value != 0:
        return f"{broken.value:g} of {broken.count} segments break the order"
    return None


def words_around_a_change_are_right(found: Findings) -> str | None:
    for source in found.log.sources:
        alignment = align(found.log, source)
        for move in found.changes():
            until_s = _taken_until_s(found, move)
            near = [number for number, utterance in enumerate(found.log.truth(source))
                    if until_s - NEAR_S <= utterance.t1 and utterance.t0 <= until_s]  # fmt: skip
            words = sum(alignment.words[number] for number in near)
            errors = sum(alignment.errors[number] for number in near)
            if errors > MAX_ERRORS_NEAR * words:
                at = f"around {move.before} > {move.after} at {move.at_s:.0f} s"
                return f"{errors} of {words} words {at} are wrong, lost or repeated"
    return None


def _taken_until_s(found: Findings, move: LadderMoved) -> float:
    """The capture time up to which the provider had taken audio when another one took over."""
    due_s = {queued.chunk: queued.due_s for queued in found.log.of(Queued)}
    return max(
        (due_s[begun.chunk] for begun in found.log.of(ChunkTaken) if begun.at_s <= move.at_s),
        default=0.0,
    )

"""What the ladder has to do in its exercise: each rule of `harness.specs.rules` as a function."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from harness.activities.ladder_exercise.exercise import (
    Exercise,
    Expected,
    read_exercise,
    run_exercise,
)
from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRProvider
from harness.journal.events import (
    ChunkTaken,
    Dropped,
    Event,
    Inferred,
    LadderMoved,
    Queued,
    RuleChecked,
    SegmentArrived,
)
from harness.ladder.actions import LONGER_BY_S
from harness.ladder.state_machine import LadderConfig, Level, Step, read_rules
from harness.metrics import TrialLog
from harness.metrics.alignment import align
from harness.metrics.integrity import missing_samples, out_of_order_segments
from harness.provider.timeouts import Timeouts
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import Track

AT_ONCE_S = 4.0
"""A breakdown shows at the next chunk."""
PAUSE_LIMIT_S = 1.0
NEAR_S = 3.0
"""So long before a change, what was said needn't have been final."""
MAX_ERRORS_NEAR = 0.3
"""More of it would be wrong if what wasn't final weren't heard again."""


class Findings:
    """What was noted in an exercise.

    Args:
        spec: The trial.
        exercise: What it was put through.
        events: Everything that was noted, in order.
    """

    def __init__(self, spec: TrialSpec, exercise: Exercise, events: Sequence[Event]) -> None:
        self.spec, self.exercise, self.ladder = spec, exercise, read_rules()
        self.log = TrialLog(spec, events)
        self.moves = self.log.of(LadderMoved)

    def expected(self, by: str) -> list[tuple[Expected, LadderMoved | None, LadderMoved | None]]:
        """The moves that have to come for a reason, the ones that came, and those before them."""
        came: list[LadderMoved | None] = [*self.moves]
        came += [None] * (len(self.exercise.expect) - len(came))
        return [(expected, came[at], came[at - 1] if at else None)
                for at, expected in enumerate(self.exercise.expect)
                if expected.by == by]  # fmt: skip

    def stays(self, *levels: Level) -> list[tuple[float, float]]:
        """From when to when the session stood on one of the levels."""
        words = {level.word for level in levels}
        ends = [*(move.at_s for move in self.moves[1:]), self.spec.scenario.duration_s]
        return [(move.at_s, end_s) for move, end_s in zip(self.moves, ends, strict=False)
                if move.after in words]  # fmt: skip


Rule = Callable[[Findings], str | None]
"""Says what is wrong; None when nothing is."""
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Add a function to the rules, under its own name."""
    RULES[function.__name__] = function
    return function


async def exercised(
    provider: ASRProvider,
    spec: TrialSpec,
    track: Track,
    emit: Callable[[Event], None],
    timeouts: Timeouts,
) -> None:
    """Run the exercise on a provider, and emit its events and a `RuleChecked` per rule.

    Raises:
        EchobenchError: As of any session.
    """
    noted: list[Event] = []

    def note(event: Event) -> None:
        noted.append(event)
        emit(event)

    for utterance in track.truth:
        note(utterance)
    await run_exercise(provider, spec, track, note, timeouts)
    for checked in judge_exercise(spec, read_exercise(), noted):
        emit(checked)


def judge_exercise(
    spec: TrialSpec, exercise: Exercise, events: Sequence[Event]
) -> list[RuleChecked]:
    """Try every rule on what was noted."""
    findings = Findings(spec, exercise, events)
    problems = {name: try_rule(findings) for name, try_rule in RULES.items()}
    return [RuleChecked(check=name, passed=problem is None, detail=problem or "")
            for name, problem in problems.items()]  # fmt: skip


@rule
def climbs_in_time(found: Findings) -> str | None:
    return _in_time(found, "climbing", lambda step: step.for_s or 0.0)


@rule
def recovers_in_time(found: Findings) -> str | None:
    return _in_time(found, "recovering", lambda step: step.back_for_s or 0.0)


@rule
def an_emergency_ends_by_hand(found: Findings) -> str | None:
    for expected, move, _ in found.expected("hand"):
        if move is None or move.after != expected.level:
            return f"no move to {expected.level} at {expected.after_s:g} s"
        if not expected.after_s <= move.at_s <= expected.after_s + 1:
            return f"{move.after} came at {move.at_s:.1f} s, and the hand at {expected.after_s:g} s"
        if not move.cause.startswith("by hand"):
            return f"{move.after} came by itself: {move.cause}"
    return None


@rule
def a_breakdown_leads_to_failover_at_once(found: Findings) -> str | None:
    for expected, move, _ in found.expected("crash"):
        if move is None or move.after != expected.level:
            return f"no move to {expected.level} after {expected.after_s:g} s"
        if not expected.after_s <= move.at_s <= expected.after_s + AT_ONCE_S:
            return f"{move.after} came at {move.at_s:.1f} s, breakdown at {expected.after_s:g} s"
        said = [at_s for at_s, _ in _said(found) if at_s > move.at_s]
        if not said:
            return "nobody said anything after it"
    return None


@rule
def nothing_else_moves(found: Findings) -> str | None:
    levels = [move.after for move in found.moves]
    expected = [each.level for each in found.exercise.expect]
    if levels != expected:
        return f"{' > '.join(levels) or 'nothing'} instead of {' > '.join(expected)}"
    for before, after in pairwise(found.moves):
        if after.before != before.after:
            return f"from {before.after}, and then from {after.before}"
    return None


@rule
def every_move_says_why(found: Findings) -> str | None:
    if not found.moves:
        return "there were none"
    for move in found.moves:
        if not (move.cause and move.message and move.actions):
            return f"{move.before} > {move.after} at {move.at_s:.1f} s says only {move!r}"
        failed = [action for action in move.actions if "failed" in action]
        if failed:
            return f"{move.before} > {move.after}: {failed[0]}"
    return None


@rule
def chunks_get_longer_and_short_again(found: Findings) -> str | None:
    usual_s = found.spec.chunk_seconds
    for levels, wanted_s in (
        ((Level.WARNING, Level.DEGRADE, Level.EMERGENCY), usual_s + LONGER_BY_S),
        ((Level.NORMAL,), usual_s),
    ):
        for from_s, to_s in found.stays(*levels):
            sizes = {queued.samples / SAMPLE_RATE_HZ for queued in found.log.of(Queued)
                     if from_s + 2 * wanted_s < queued.at_s < to_s}  # fmt: skip
            if sizes - {wanted_s}:
                return f"{min(sizes)} to {max(sizes)} s from {from_s:.0f} s on, not {wanted_s:g} s"
    return None


@rule
def the_smaller_model_is_loaded_before(found: Findings) -> str | None:
    changes = [move for move in found.moves
               if Level.DEGRADE.word in (move.before, move.after)]  # fmt: skip
    if not changes:
        return "there was no change"
    slow = max(changes, key=lambda move: move.took_s)
    if slow.took_s > PAUSE_LIMIT_S:
        return f"{slow.before} > {slow.after} took {slow.took_s:.1f} s"
    return None


@rule
def captions_do_not_pause(found: Findings) -> str | None:
    for move in _changes(found):
        said = [at_s for at_s, _ in _said(found) if at_s >= move.at_s]
        if not said:
            return f"no text after {move.at_s:.1f} s"
        busy_s = sum(max(0.0, min(span.end_s, said[0]) - max(span.begin_s, move.at_s))
                     for span in found.log.of(Inferred))  # fmt: skip
        pause_s = said[0] - move.at_s - busy_s
        chunk_s = found.spec.chunk_seconds + LONGER_BY_S  # the next one may have only just begun
        if pause_s > PAUSE_LIMIT_S + chunk_s:
            return f"a pause of {pause_s:.1f} s after {move.before} > {move.after}"
    return None


@rule
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
        return f"{len(dropped) - sum(pattern)} chunks were dropped outside of the emergency"
    return None


@rule
def what_was_final_stays(found: Findings) -> str | None:
    broken = out_of_order_segments(found.log)
    if broken.value != 0:
        return f"{broken.value:g} of {broken.count} segments break the order"
    return None


@rule
def words_around_a_change_are_right(found: Findings) -> str | None:
    for source in found.log.sources:
        alignment = align(found.log, source)
        for move in _changes(found):
            until_s = _heard_until_s(found, move)
            near = [number for number, utterance in enumerate(found.log.truth(source))
                    if until_s - NEAR_S <= utterance.t1 and utterance.t0 <= until_s]  # fmt: skip
            words = sum(alignment.words[number] for number in near)
            errors = sum(alignment.errors[number] for number in near)
            if errors > MAX_ERRORS_NEAR * words:
                at = f"around {move.before} > {move.after} at {move.at_s:.0f} s"
                return f"{errors} words {at} are wrong, lost or said twice, of {words}"
    return None


@rule
def audio_is_conserved(found: Findings) -> str | None:
    missing = missing_samples(found.log)  # not every provider on the ladder tells of inferences
    return f"{missing} samples are unaccounted for" if missing else None


def _in_time(found: Findings, by: str, wait_s: Callable[[Step], float]) -> str | None:
    for expected, move, before in found.expected(by):
        if move is None or move.after != expected.level:
            came = move.after if move else "nothing"
            return f"{came} instead of {expected.level} after {expected.after_s:g} s"
        step = _step(found.ladder, move)
        from_s = max(expected.after_s if by == "climbing" else 0.0, before.at_s if before else 0.0)
        earliest_s = from_s + wait_s(step)
        latest_s = max(earliest_s, expected.after_s + wait_s(step)) + found.exercise.slack_s
        if not earliest_s <= move.at_s <= latest_s:
            allowed = f"{earliest_s:.0f} to {latest_s:.0f} s"
            return f"{move.before} > {move.after} at {move.at_s:.1f} s; allowed: {allowed}"
    return None


def _step(ladder: LadderConfig, move: LadderMoved) -> Step:
    """The step that a move goes up or down."""
    upper = max(Level[move.before.upper()], Level[move.after.upper()])
    step = ladder.step(upper)
    assert step is not None
    return step


def _changes(found: Findings) -> list[LadderMoved]:
    """The moves after which another provider is at work, where no audio was dropped."""
    emergency = Level.EMERGENCY.word
    ups = [move for move in found.moves
           if move.after in (Level.DEGRADE.word, Level.FAILOVER.word)]  # fmt: skip
    downs = [move for move in found.moves
             if move.before == Level.DEGRADE.word and move.after != emergency]  # fmt: skip
    return [*ups, *downs]


def _heard_until_s(found: Findings, move: LadderMoved) -> float:
    """How far in its audio the provider was when another took over; a backlog holds it back."""
    due_s = {queued.chunk: queued.due_s for queued in found.log.of(Queued)}
    return max(
        (due_s[begun.chunk] for begun in found.log.of(ChunkTaken) if begun.at_s <= move.at_s),
        default=0.0,
    )


def _said(found: Findings) -> list[tuple[float, SegmentArrived]]:
    return [(said.at_s, said) for said in found.log.of(SegmentArrived)]

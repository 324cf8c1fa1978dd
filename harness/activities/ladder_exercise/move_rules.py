"""Rules of the ladder's exercise about its moves: when they come, and what they report."""

from collections.abc import Callable
from itertools import pairwise

from harness.activities.ladder_exercise.findings import PAUSE_LIMIT_S, Findings
from harness.journal.events import LadderMoved, SegmentArrived
from harness.ladder.state_machine import LadderConfig, Level, Step

AT_ONCE_S = 4.0
"""A breakdown is noticed with the next chunk."""


def climbs_in_time(found: Findings) -> str | None:
    return _in_time(found, "climbing", lambda step: step.for_s or 0.0)


def recovers_in_time(found: Findings) -> str | None:
    return _in_time(found, "recovering", lambda step: step.back_for_s or 0.0)


def an_emergency_ends_by_hand(found: Findings) -> str | None:
    for expected, move, _ in found.expected("hand"):
        if move is None or move.after != expected.level:
            return f"no move to {expected.level} at {expected.after_s:g} s"
        if not expected.after_s <= move.at_s <= expected.after_s + 1:
            return f"{move.after} came at {move.at_s:.1f} s, the reset at {expected.after_s:g} s"
        if not move.cause.startswith("by hand"):
            return f"{move.after} came without a reset: {move.cause}"
    return None


def a_breakdown_leads_to_failover_at_once(found: Findings) -> str | None:
    for expected, move, _ in found.expected("crash"):
        if move is None or move.after != expected.level:
            return f"no move to {expected.level} after {expected.after_s:g} s"
        if not expected.after_s <= move.at_s <= expected.after_s + AT_ONCE_S:
            return f"{move.after} came at {move.at_s:.1f} s, breakdown at {expected.after_s:g} s"
        if all(text.at_s <= move.at_s for text in found.log.of(SegmentArrived)):
            return "no text came after it"
    return None


def nothing_else_moves(found: Findings) -> str | None:
    levels = [move.after for move in found.moves]
    expected = [each.level for each in found.exercise.expect]
    if levels != expected:
        return f"{' > '.join(levels) or 'nothing'} instead of {' > '.join(expected)}"
    for before, after in pairwise(found.moves):
        if after.before != before.after:
            return f"a move to {before.after}, then one from {after.before}"
    return None


def every_move_says_why(found: Findings) -> str | None:
    if not found.moves:
        return "there were no moves"
    for move in found.moves:
        if not (move.cause and move.message and move.actions):
            return f"{move.before} > {move.after} lacks a reason or actions: {move!r}"
        failed = [action for action in move.actions if "failed" in action]
        if failed:
            return f"{move.before} > {move.after}: {failed[0]}"
    return None


def the_smaller_model_is_loaded_before(found: Findings) -> str | None:
    changes = [move for move in found.moves
               if Level.DEGRADE.word in (move.before, move.after)]  # fmt: skip
    if not changes:
        return "there was no change"
    slow = max(changes, key=lambda move: move.took_s)
    if slow.took_s > PAUSE_LIMIT_S:
        return f"{slow.before} > {slow.after} took {slow.took_s:.1f} s"
    return None


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

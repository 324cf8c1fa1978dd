"""The ladder's rules of `harness.specs.rules` as functions, tried on an exercise of a provider."""

from collections.abc import Callable, Sequence

from harness.activities.ladder_exercise import audio_rules, move_rules, text_rules
from harness.activities.ladder_exercise.exercise import Exercise, read_exercise, run_exercise
from harness.activities.ladder_exercise.findings import Findings, Rule
from harness.contract import ASRProvider
from harness.journal.events import Event, RuleChecked
from harness.provider.timeouts import Timeouts
from harness.specs.trial import TrialSpec
from harness.timeline.timeline import Track

RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        move_rules.climbs_in_time,
        move_rules.recovers_in_time,
        move_rules.an_emergency_ends_by_hand,
        move_rules.a_breakdown_leads_to_failover_at_once,
        move_rules.nothing_else_moves,
        move_rules.every_move_says_why,
        audio_rules.chunks_get_longer_and_short_again,
        move_rules.the_smaller_model_is_loaded_before,
        text_rules.captions_do_not_pause,
        audio_rules.every_other_chunk_is_left_out_and_counted,
        text_rules.what_was_final_stays,
        text_rules.words_around_a_change_are_right,
        audio_rules.audio_is_conserved,
    )
}


async def exercised(
    provider: ASRProvider,
    spec: TrialSpec,
    track: Track,
    emit: Callable[[Event], None],
    timeouts: Timeouts,
) -> None:
    """Run the exercise on a provider, and emit its events and a `RuleChecked` per rule.

    Raises:
        EchobenchError: As `hold_session` raises.
    """
    events: list[Event] = []

    def note(event: Event) -> None:
        events.append(event)
        emit(event)

    for utterance in track.truth:
        note(utterance)
    await run_exercise(provider, spec, track, note, timeouts)
    for checked in judge_exercise(spec, read_exercise(), events):
        emit(checked)


def judge_exercise(
    spec: TrialSpec, exercise: Exercise, events: Sequence[Event]
) -> list[RuleChecked]:
    """Try every rule on an exercise's events."""
    findings = Findings(spec, exercise, events)
    problems = {name: try_rule(findings) for name, try_rule in RULES.items()}
    return [RuleChecked(check=name, passed=problem is None, detail=problem or "")
            for name, problem in problems.items()]  # fmt: skip

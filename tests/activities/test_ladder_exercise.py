"""The exercise finds a sound ladder sound, and each planted defect by the rule that is about it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from harness import clock
from harness.activities.ladder_exercise import audio_rules, move_rules, text_rules
from harness.activities.ladder_exercise.exercise import read_exercise, run_exercise
from harness.activities.ladder_exercise.rules import RULES, judge_exercise
from harness.audio import SAMPLE_RATE_HZ
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioAccount, AudioSource, Word
from harness.errors import ProviderError
from harness.journal.events import Event, LadderMoved, Utterance
from harness.ladder import actions
from harness.ladder.failover import FailoverProvider, Member
from harness.ladder.state_machine import LadderConfig, read_rules
from harness.ladder.stitched_source import StitchedSource
from harness.provider.timeouts import DEFAULT
from harness.session.chunk_queue import ChunkQueue
from harness.session.chunking import Chunker
from harness.timeline.timeline import Track
from tests.ladder.numbers import STEP_S, Numbers, counting
from tests.trials import spec_of

pytestmark = pytest.mark.slow

EXERCISE = read_exercise()
LENGTH_S = EXERCISE.scenario.duration_s
WORDS = 4
"""In an utterance."""


def track() -> Track:
    """Numbers for as long as the exercise lasts, and the truth about them."""
    made = counting(LENGTH_S)
    spoken = [int(number) for number in dict.fromkeys(made.audio.tolist())]
    truth = []
    for first in range(0, len(spoken), WORDS):
        words = tuple(
            Word(str(spoken[at]), at * STEP_S, (at + 1) * STEP_S)
            for at in range(first, first + WORDS)
        )
        truth.append(
            Utterance(
                source=AudioSource.MIC,
                utterance_id=f"from {first}",
                t0=words[0].t0,
                t1=words[-1].t1,
                text=" ".join(word.text for word in words),
                words=words,
            )
        )
    return Track(AudioSource.MIC, 0.0, made.audio, tuple(truth))


SPEC = spec_of("numbers", "none", chunk_seconds=2.0, scenario=EXERCISE.scenario)


def exercised(rules: LadderConfig | None = None, first: Numbers | None = None) -> list[Event]:
    played = track()
    events: list[Event] = [*played.truth]
    others = Member(Numbers(cost=0.0), "small"), Member(Numbers(3, cost=0.0), "other")
    provider = first or Numbers(cost=0.0)
    work = run_exercise(provider, SPEC, played, events.append, DEFAULT, others, rules)
    clock.run(work, ClockKind.VIRTUAL)
    return events


def broken(events: list[Event]) -> dict[str, str]:
    """The rules that were broken, and how."""
    checks = judge_exercise(SPEC, EXERCISE, events)
    assert [check.check for check in checks] == list(RULES)
    return {check.check: check.detail for check in checks if not check.passed}


def test_every_rule_is_tried() -> None:
    written = {
        name
        for module in (audio_rules, move_rules, text_rules)
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__ and name[0] != "_"
    }
    assert written == set(RULES)


def test_a_healthy_ladder_keeps_all_rules() -> None:
    events = exercised()
    assert broken(events) == {}
    moves = [event for event in events if isinstance(event, LadderMoved)]
    assert [move.after for move in moves] == [each.level for each in EXERCISE.expect]
    assert moves[1].actions == (
        "smaller_model: numbers small took over", "vad_off: not in use here",
    )  # fmt: skip
    assert moves[-1].actions == ("other_provider: numbers other took over",)
    assert moves[-1].cause.startswith("crash: numbers: broken down")
    assert moves[0].message == "recognition is getting slow"
    assert moves[3].message == "recognition is fast enough again"


def changed(level: str, **fields: object) -> LadderConfig:
    """The ladder with one step changed."""
    rules = read_rules()
    steps = tuple(msgspec.structs.replace(step, **fields) if step.level == level else step
                  for step in rules.steps)  # fmt: skip
    return msgspec.structs.replace(rules, steps=steps)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        (changed("warning", for_s=3.0), "climbs_in_time"),
        (changed("degrade", for_s=30.0), "climbs_in_time"),
        (changed("warning", above=0.95), "climbs_in_time"),
        (changed("degrade", back_for_s=5.0), "recovers_in_time"),
        (changed("warning", below=0.4), "recovers_in_time"),
        (changed("emergency", below=0.8, back_for_s=10.0), "an_emergency_ends_by_hand"),
        (changed("emergency", above=2.0), "nothing_else_moves"),
    ],
    ids=["soon", "late", "high", "soon back", "late back", "back by itself", "never"],
)  # fmt: skip
def test_wrong_numbers_are_found(rules: LadderConfig, named: str) -> None:
    assert named in broken(exercised(rules))


def no_longer_chunks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions, "LONGER_BY_S", 0.0)


def chunks_stay_long(patch: pytest.MonkeyPatch) -> None:
    def property_of(chunker: Chunker) -> float:
        return float(chunker.__dict__["chunk_seconds"])

    def never_shorter(chunker: Chunker, value: float) -> None:
        chunker.__dict__["chunk_seconds"] = max(value, chunker.__dict__.get("chunk_seconds", 0.0))

    patch.setattr(Chunker, "chunk_seconds", property(property_of, never_shorter), raising=False)


def drops_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions, "KEEP_EVERY", 1)


def drops_two_of_three(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(actions, "KEEP_EVERY", 3)


def drops_uncounted(patch: pytest.MonkeyPatch) -> None:
    put = ChunkQueue.put

    def put_some(queue: ChunkQueue, chunk: object) -> None:
        if queue.keep_every == 1 or chunk.index % 2:  # type: ignore[attr-defined]
            keep, queue.keep_every = queue.keep_every, 1
            put(queue, chunk)  # type: ignore[arg-type]
            queue.keep_every = keep

    patch.setattr(ChunkQueue, "put", put_some)


def loads_when_needed(patch: pytest.MonkeyPatch) -> None:
    switch_to = FailoverProvider.switch_to

    async def after_loading(failover: FailoverProvider, member: Member) -> None:
        await asyncio.sleep(3.0)
        await switch_to(failover, member)

    patch.setattr(FailoverProvider, "switch_to", after_loading)


def hears_nothing_again(patch: pytest.MonkeyPatch) -> None:
    begin_stretch = StitchedSource.begin_stretch

    def without(line: StitchedSource, base: AudioAccount) -> bytes:
        line.settle()
        return begin_stretch(line, base)

    patch.setattr(StitchedSource, "begin_stretch", without)


def hears_the_last_final_again(patch: pytest.MonkeyPatch) -> None:
    forget = StitchedSource._forget_before
    patch.setattr(
        StitchedSource, "_forget_before", lambda line, sample: forget(line, sample - 40_000)
    )


def changes_a_final(patch: pytest.MonkeyPatch) -> None:
    say = Numbers._say

    def twice(provider: Numbers, *given: Any, is_final: bool = False) -> ASRSegment:
        segment = say(provider, *given, is_final=is_final)
        if provider.finals_of != 3:
            return segment
        provider._ids[given[0]] -= is_final  # the next one is about the same stretch again
        return segment

    patch.setattr(Numbers, "_say", twice)


def loses_an_account(patch: pytest.MonkeyPatch) -> None:
    end_stretch = StitchedSource.end_stretch

    def without(line: StitchedSource, account: AudioAccount) -> None:
        end_stretch(line, account)
        line._settled.decoded -= SAMPLE_RATE_HZ

    patch.setattr(StitchedSource, "end_stretch", without)


def pauses(patch: pytest.MonkeyPatch) -> None:
    transcribe = Numbers.transcribe_stream

    async def late(provider: Numbers, pcm: Any, *more: Any) -> AsyncIterator[ASRSegment]:
        if provider.finals_of == 3:  # the one that takes over in the end
            await asyncio.sleep(6.0)
        async for segment in transcribe(provider, pcm, *more):
            yield segment

    patch.setattr(Numbers, "transcribe_stream", late)


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (no_longer_chunks, "chunks_get_longer_and_short_again"),
        (chunks_stay_long, "chunks_get_longer_and_short_again"),
        (drops_nothing, "every_other_chunk_is_left_out_and_counted"),
        (drops_two_of_three, "every_other_chunk_is_left_out_and_counted"),
        (drops_uncounted, "every_other_chunk_is_left_out_and_counted"),
        (loads_when_needed, "the_smaller_model_is_loaded_before"),
        (hears_nothing_again, "words_around_a_change_are_right"),
        (hears_the_last_final_again, "words_around_a_change_are_right"),
        (changes_a_final, "what_was_final_stays"),
        (pauses, "captions_do_not_pause"),
        (loses_an_account, "audio_is_conserved"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_a_planted_defect_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert named in broken(exercised())


def test_a_breakdown_that_no_one_takes_over_ends_the_exercise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nobody(failover: FailoverProvider, member: Member) -> None:
        if failover.active.failure is not None:
            raise ProviderError("failover", "nobody is there")

    monkeypatch.setattr(FailoverProvider, "switch_to", nobody)
    with pytest.raises(ProviderError, match="broken down on purpose, by the exercise"):
        exercised()

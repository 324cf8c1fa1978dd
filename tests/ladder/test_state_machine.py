"""The ladder's state machine: the required numbers, and what holds whatever the load does."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import DataFileError
from harness.ladder.state_machine import (
    FILE,
    Level,
    Move,
    State,
    crashed,
    observed,
    read_rules,
    reset,
)
from tests.profiles import examples

RULES = read_rules()
NORMAL, WARNING, DEGRADE, EMERGENCY, FAILOVER = Level
MAX_MOVES_AN_HOUR = 50
"""Ways back of 30 s without any memory would make it 180."""


def climb(
    *loads: tuple[float, float], state: State | None = None, step_s: float = 1.0
) -> list[Move]:
    """Observe loads, each (rtf, until_s), once a second; return the moves."""
    return follow(*loads, state=state, step_s=step_s)[1]


def follow(
    *loads: tuple[float, float], state: State | None = None, step_s: float = 1.0
) -> tuple[State, list[Move]]:
    state, moves = state or State(), []
    at_s = max(0.0, state.at_s + step_s)
    for rtf, until_s in loads:
        while at_s <= until_s:
            state, move = observed(RULES, state, at_s, rtf)
            moves += [move] if move else []
            at_s += step_s
    return state, moves


def at(level: Level) -> State:
    """A session that has stood on a level for a long time."""
    return State(level, at_s=0.0)


def test_the_numbers_are_those_required() -> None:
    told = [(s.level, s.above, s.for_s, s.below, s.back_for_s) for s in RULES.steps]
    assert told == [
        ("warning", 0.8, 10, 0.7, 30),
        ("degrade", 1.0, 10, 0.8, 30),
        ("emergency", 1.2, 10, None, None),
        ("failover", None, None, None, None),
    ]
    assert [step.actions for step in RULES.steps] == [
        ("longer_chunks",), ("smaller_model", "vad_off"), ("drop_every_other",),
        ("other_provider",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "rtf", "after"),
    [(NORMAL, 0.81, WARNING), (WARNING, 1.01, DEGRADE), (DEGRADE, 1.21, EMERGENCY)],
)
def test_ten_seconds_too_slow_lead_up(level: Level, rtf: float, after: Level) -> None:
    assert climb((rtf, 10.0), state=at(level), step_s=0.125) == []
    (move,) = climb((rtf, 10.5), state=at(level), step_s=0.125)
    assert (move.before, move.after) == (level, after)
    assert move.at_s == 10.125  # the first look was at 0.125 s
    assert f"rtf above {rtf - 0.01:g} for 10 s" in move.cause


@pytest.mark.parametrize(
    ("level", "rtf", "after"), [(WARNING, 0.69, NORMAL), (DEGRADE, 0.79, WARNING)]
)
def test_thirty_seconds_fast_enough_lead_down(level: Level, rtf: float, after: Level) -> None:
    assert climb((rtf, 30.0), state=at(level), step_s=0.125) == []
    (move,) = climb((rtf, 30.5), state=at(level), step_s=0.125)
    assert (move.before, move.after, move.at_s) == (level, after, 30.125)
    assert f"rtf below {rtf + 0.01:g} for 30 s" in move.cause


@pytest.mark.parametrize(
    ("level", "rtf"),
    [(NORMAL, 0.8), (WARNING, 1.0), (WARNING, 0.7), (WARNING, 0.75), (DEGRADE, 1.2),
     (DEGRADE, 0.8), (DEGRADE, 0.9), (EMERGENCY, 0.0), (EMERGENCY, 9.0), (FAILOVER, 0.0),
     (FAILOVER, 9.0)],
)  # fmt: skip
def test_in_between_nothing_happens(level: Level, rtf: float) -> None:
    assert climb((rtf, 3600.0), state=at(level)) == []


def test_one_look_in_between_starts_the_count_again() -> None:
    assert climb((0.9, 9.0), (0.8, 10.0), (0.9, 20.5)) == []
    assert climb((0.6, 29.0), (0.7, 30.0), (0.6, 60.5), state=at(WARNING)) == []


def test_a_sudden_overload_leads_up_one_level_every_ten_seconds() -> None:
    moves = climb((3.0, 100.0))
    assert [(move.after, move.at_s) for move in moves] == [
        (WARNING, 10), (DEGRADE, 21), (EMERGENCY, 32),
    ]  # fmt: skip


def test_a_crash_leads_to_failover_from_anywhere_and_only_a_hand_leads_back() -> None:
    for level in Level:
        state, move = crashed(RULES, at(level), 5.0, "SIGSEGV")
        assert (move.before, move.after, move.cause) == (level, FAILOVER, "crash: SIGSEGV")
        assert climb((0.0, 9999.0), state=state) == []
        state, back = reset(RULES, state, 10_000.0, "restarted")
        assert back is not None
        assert (back.after, back.cause) == (NORMAL, "by hand: restarted")
        assert state.level is NORMAL


def test_an_emergency_ends_by_hand_only() -> None:
    state, _ = follow((0.0, 10_000.0), state=at(EMERGENCY))
    assert state.level is EMERGENCY
    state, move = reset(RULES, state, 10_001.0, "the backup is done")
    assert move is not None
    assert state == State(NORMAL, 10_001.0)
    assert reset(RULES, state, 10_002.0, "again") == (state, None)


def test_a_way_back_that_does_not_last_is_longer_the_next_time() -> None:
    """A smaller model makes it fast enough, and the larger one too slow again, for ever."""
    state, moves, at_s = State(WARNING, 0.0), list[Move](), 0.0
    while at_s < 3600:
        at_s += 1
        state, move = observed(RULES, state, at_s, 1.1 if state.level is WARNING else 0.5)
        moves += [move] if move else []
    down = [move.at_s for move in moves if move.after is WARNING]
    up = [move.at_s for move in moves if move.after is DEGRADE]
    waits = [left - came for came, left in zip(up, down, strict=False)]
    assert waits[:6] == [31, 61, 121, 241, 481, 481]
    assert len(moves) < MAX_MOVES_AN_HOUR / 2


def test_a_way_back_that_lasted_is_short_again() -> None:
    state = State(DEGRADE, 0.0, doublings=(0, 0, 3, 0, 0))
    state, _ = follow((0.75, 300.0), state=state)
    assert state.level is WARNING
    state, _ = follow((0.75, 400.0), (1.1, 420.0), state=state)
    assert state.level is DEGRADE
    assert state.doublings[DEGRADE] == 0


events = st.one_of(st.floats(0.0, 2.5), st.sampled_from(["crash", "reset"]))
loads = st.lists(st.tuples(st.floats(0.1, 8.0), events), max_size=120)


@given(loads)
@settings(max_examples=examples(300))
def test_whatever_happens_moves_follow_one_another_and_say_why(
    steps: list[tuple[float, float | str]],
) -> None:
    state, moves, at_s = State(), list[Move](), 0.0
    for wait_s, what in steps:
        at_s += wait_s
        before = state
        if what == "crash":
            state, move = crashed(RULES, state, at_s, "x")
        elif what == "reset":
            state, maybe = reset(RULES, state, at_s, "x")
            move = maybe  # type: ignore[assignment]
        else:
            state, maybe = observed(RULES, state, at_s, float(what))
            move = maybe  # type: ignore[assignment]
            assert abs(state.level - before.level) <= 1
        assert (move is None) == (state.level is before.level and what != "crash")
        if move is not None:
            assert (move.before, move.after, move.at_s) == (before.level, state.level, at_s)
            assert move.cause
            moves.append(move)
    for one, next_one in pairwise(moves):
        assert one.after is next_one.before
        assert one.at_s <= next_one.at_s
    for one, next_one in pairwise(moves):  # hysteresis: each way takes its time
        if next_one.cause.startswith("rtf above"):
            assert next_one.at_s - one.at_s >= 10
        elif next_one.cause.startswith("rtf below"):
            assert next_one.at_s - one.at_s >= 30
    by_itself = [move for move in moves if move.before in (EMERGENCY, FAILOVER)]
    assert all(move.cause.startswith(("by hand", "crash")) for move in by_itself)


@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.integers(1, 90)), min_size=1, max_size=6),
    st.sampled_from(Level),
)
@settings(max_examples=examples(30))
def test_it_does_not_flap(pattern: list[tuple[float, int]], level: Level) -> None:
    """Any load that repeats itself: to come back to a level within a minute has its price."""
    seconds = [rtf for rtf, length_s in pattern for _ in range(length_s)]
    state, moves = State(level, 0.0), list[Move]()
    for second in range(1, 1200):
        state, move = observed(RULES, state, float(second), seconds[second % len(seconds)])
        moves += [move] if move else []
    assert len(moves) <= 40
    for level in (WARNING, DEGRADE):
        stays = stays_on(level, moves)
        for (_, left), (again, left_again) in pairwise(stays):
            if again - left <= RULES.relapse.within_s:
                assert left_again - again >= 60


def stays_on(level: Level, moves: list[Move]) -> list[tuple[float, float]]:
    """When a level was come to from below, and left downwards, while that happened in turn."""
    came, stays = None, []
    for move in moves:
        if move.after is level and move.before < level:
            came = move.at_s
        elif move.before is level and move.after < level and came is not None:
            stays.append((came, move.at_s))
            came = None
    return stays


def test_it_does_not_flap_when_the_load_follows_the_level() -> None:
    """The worst there is: whatever the ladder does has the opposite effect a moment later."""
    state, moves = State(), list[Move]()
    for second in range(3600):
        rtf = {NORMAL: 0.9, WARNING: 0.0, DEGRADE: 0.0}[state.level]
        state, move = observed(RULES, state, float(second), rtf)
        moves += [move] if move else []
    assert len(moves) <= MAX_MOVES_AN_HOUR


@given(st.lists(st.floats(0.0, 3.0), max_size=100))
@settings(max_examples=examples(100))
def test_it_is_a_function_of_what_it_saw(factors: list[float]) -> None:
    def run() -> tuple[State, list[Move]]:
        state, moves = State(), list[Move]()
        for second, rtf in enumerate(factors):
            state, move = observed(RULES, state, float(second), rtf)
            moves += [move] if move else []
        return state, moves

    assert run() == run()


@pytest.mark.parametrize(("at_s", "rtf"), [(-1.0, 0.5), (1.0, -0.1), (1.0, float("nan"))])
def test_nonsense_is_refused(at_s: float, rtf: float) -> None:
    with pytest.raises(ValueError, match="rtf"):
        observed(RULES, State(NORMAL, 0.0), at_s, rtf)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('level = "degrade"', 'level = "worse"', "levels must be warning, degrade"),
        ("for_s = 10.0\nbelow = 0.7", "below = 0.7", "above and for_s belong together"),
        ('back_for_s = 30.0\nactions = ["longer', 'actions = ["longer', "below and back_for_s"),
        ("below = 0.7", "below = 0.9", "below 0.9 is above 0.8"),
        ("above = 1.2", "above = -1", "above"),
        ("within_s", "within", "relapse"),
    ],
)
def test_a_ladder_file_that_says_nonsense_is_refused(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    text = FILE.read_text()
    assert old in text
    path = tmp_path / "ladder.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DataFileError, match=r"ladder\.toml") as refused:
        read_rules(path)
    assert problem in str(refused.value)

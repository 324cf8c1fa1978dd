"""Alignment in time: as few edits as plain edit distance, and never the wrong one of two equals."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from harness.metrics.time_alignment import Pair, align_in_time

texts = st.lists(st.sampled_from("abc"), max_size=9)
times = st.lists(st.floats(0, 500), min_size=9, max_size=9).map(sorted)


def edits(pairs: list[Pair], spoken: list[str], shown: list[str]) -> int:
    return sum(
        pair.spoken is None or pair.shown is None or spoken[pair.spoken] != shown[pair.shown]
        for pair in pairs
    )


@given(texts, texts, times, st.lists(st.floats(0, 500), min_size=9, max_size=9))
def test_every_word_is_in_it_once_and_edits_are_the_fewest(
    spoken: list[str], shown: list[str], spoken_s: list[float], shown_s: list[float]
) -> None:
    pairs = align_in_time(spoken, spoken_s[: len(spoken)], shown, shown_s[: len(shown)])
    assert [pair.spoken for pair in pairs if pair.spoken is not None] == list(range(len(spoken)))
    assert [pair.shown for pair in pairs if pair.shown is not None] == list(range(len(shown)))
    assert edits(pairs, spoken, shown) == Levenshtein.distance(spoken, shown)


@given(st.integers(1, 8), st.data())
def test_of_equal_words_those_at_their_time_are_paired(count: int, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.integers(0, count - 1)).map(sorted))
    spoken_s = [3.0 * at for at in range(count)]
    pairs = align_in_time(["a"] * count, spoken_s, ["a"] * len(kept), [spoken_s[at] for at in kept])
    assert [pair.spoken for pair in pairs if pair.shown is not None] == kept


def test_least_time_among_fewest_edits_by_brute_force() -> None:
    """All ways to pair two of three equal words, tried one by one."""
    spoken_s, shown_s = [0.0, 4.0, 9.0], [3.0, 5.0]
    pairs = align_in_time(["a"] * 3, spoken_s, ["a"] * 2, shown_s)
    chosen = [pair.spoken for pair in pairs if pair.shown is not None]

    def apart_s(places: Iterable[int]) -> float:
        pairs = zip(places, shown_s, strict=True)
        return sum(abs(spoken_s[place] - said_s) for place, said_s in pairs)

    assert chosen == list(min(itertools.combinations(range(3), 2), key=apart_s))


@pytest.mark.parametrize("minutes", [1, 40])
def test_words_out_of_reach_are_never_paired(minutes: int) -> None:
    """Ten minutes apart, equal words are a deletion and an insertion."""
    pairs = align_in_time(["a"], [0.0], ["a"], [60.0 * minutes])
    assert (len(pairs) == 1) == (minutes < 10)


def test_bands_let_long_silence_and_long_babble_through() -> None:
    spoken, spoken_s = ["a"] * 5 + ["b"] * 5, [1.0] * 5 + [9000.0] * 5
    shown, shown_s = ["a"] * 5 + ["x"] * 50 + ["b"] * 5, [1.0] * 5 + [4000.0] * 50 + [9000.0] * 5
    assert edits(align_in_time(spoken, spoken_s, shown, shown_s), spoken, shown) == 50

"""Markers: one answer each, in time; what is missed is infinitely late."""

import math

import msgspec
import pytest

from harness.journal.events import BeepFound, Event
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import MIC, log_of, said, spoken

WORDS = ("open the green door", "send nine letters now", "call me next week")


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events))


def markers(count: int = 3) -> list[Event]:
    """A sentence of two seconds every ten, each with a beep before it."""
    return [msgspec.structs.replace(spoken(WORDS[at], 10.0 * at + 1), beep_sample=16_000 * 10 * at)
            for at in range(count)]  # fmt: skip


def answer(at: int, late_s: float, text: str | None = None, segment_id: int | None = None) -> Event:
    begin_s = 10.0 * at + 1
    return said(
        begin_s + 2 + late_s, WORDS[at] if text is None else text,
        at if segment_id is None else segment_id, final=True, t0=begin_s, t1=begin_s + 2,
    )  # fmt: skip


def test_latency_counts_from_the_last_sample_to_the_first_final() -> None:
    events = [*markers(), answer(0, 0.5), answer(1, 1.5), answer(2, 0.1)]
    assert of("marker_latency", *events).samples == pytest.approx((0.5, 1.5, 0.1))
    assert of("markers_missed", *events).value == 0
    assert of("markers_repeated", *events).value == 0


def test_a_marker_without_an_answer_is_infinitely_late() -> None:
    events = [*markers(), answer(0, 0.5), answer(2, 0.1)]
    assert of("marker_latency", *events).samples == pytest.approx((0.5, math.inf, 0.1))
    assert of("markers_missed", *events).value == pytest.approx(1 / 3)


def test_half_of_the_words_are_an_answer_and_fewer_are_not() -> None:
    half = answer(0, 0.5, "open green")
    assert of("markers_missed", *markers(1), half).value == 0
    less = answer(0, 0.5, "open")
    assert of("markers_missed", *markers(1), less).value == 1


def test_wrong_words_are_an_answer_which_the_word_error_rate_judges() -> None:
    wrong = answer(0, 0.5, "4 gray gates")
    assert of("markers_missed", *markers(1), wrong).value == 0
    assert of("wer", *markers(1), wrong).value == 1


def test_a_sentence_with_pauses_is_answered_by_all_of_its_finals() -> None:
    """Each final has some of its words; none is a repetition of another."""
    parts = [said(2.0 + at, word, at, final=True, t0=1.0 + at / 2, t1=1.5 + at / 2)
             for at, word in enumerate(WORDS[0].split())]  # fmt: skip
    assert of("markers_missed", *markers(1), *parts).value == 0
    assert of("markers_repeated", *markers(1), *parts).value == 0
    assert of("marker_latency", *markers(1), *parts).samples == pytest.approx((2.0,))


def test_words_at_another_time_are_no_answer() -> None:
    elsewhere = said(9.0, WORDS[0], final=True, t0=5.0, t1=7.0)
    assert of("markers_missed", *markers(1), elsewhere).value == 1


def test_one_long_final_may_answer_several_and_a_second_is_a_repetition() -> None:
    long = said(40.0, " ".join(WORDS), final=True, t0=1.0, t1=23.0)
    assert of("markers_missed", *markers(), long).value == 0
    again = answer(1, 5.0, segment_id=7)
    assert of("markers_repeated", *markers(), answer(1, 0.5), again).value == 1


def test_a_neighbour_that_says_much_the_same_is_no_answer() -> None:
    texts = ("open the green door", "open the old door")
    two = [msgspec.structs.replace(spoken(text, 2.5 * at + 1), beep_sample=40_000 * at)
           for at, text in enumerate(texts)]  # fmt: skip
    finals = [said(2.5 * at + 4, text, at, final=True, t0=2.5 * at + 1, t1=2.5 * at + 3)
              for at, text in enumerate(texts)]  # fmt: skip
    assert of("markers_repeated", *two, *finals).value == 0
    assert of("markers_missed", *two, *finals).value == 0
    beside = said(3.6, texts[0], final=True, t0=3.1, t1=3.4)
    assert of("markers_missed", two[0], beside).value == 0


def test_a_partial_is_no_answer() -> None:
    assert of("markers_missed", *markers(1), said(3.5, WORDS[0], t0=1.0, t1=3.0)).value == 1


def test_a_beep_that_was_lost_or_moved_is_told() -> None:
    heard = [BeepFound(source=MIC, utterance=at, sample=160_000 * at + at) for at in range(3)]
    assert of("beep_error", *markers(), *heard).value == 2
    gone = BeepFound(source=MIC, utterance=0, sample=None)
    assert of("beep_error", *markers(), gone, *heard[1:]).value == math.inf


def test_without_markers_there_is_no_figure() -> None:
    for name in ("marker_latency", "markers_missed", "markers_repeated", "beep_error"):
        assert of(name, spoken("a", 1.0)).absent

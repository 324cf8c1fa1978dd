import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Word
from harness.journal.events import Event, Utterance
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import MIC, SYSTEM, log_of, said, spoken

NAMES = ("word_emission_latency", "word_settled_latency", "word_final_latency")


def latencies(*events: Event) -> list[list[float]]:
    """Emission, settling and final of each spoken word."""
    found = [METRICS[name](log_of(*events)).samples for name in NAMES]
    assert all(samples is not None for samples in found)
    return [list(samples or ()) for samples in found]


def test_a_word_comes_up_settles_and_is_final() -> None:
    """Its end is at 0.5 s, those of the others at 1.0 and 1.5 s."""
    emission, settled, final = latencies(
        spoken("open the door"), said(1.0, "open"), said(2.0, "open a"),
        said(3.0, "open the door"), said(5.0, "open the door", final=True),
    )  # fmt: skip
    assert emission == pytest.approx([0.5, 2.0, 1.5])
    assert settled == pytest.approx([0.5, 2.0, 1.5])
    assert final == pytest.approx([4.5, 4.0, 3.5])


def test_a_word_that_goes_and_comes_back_settles_when_it_is_back() -> None:
    emission, settled, final = latencies(
        spoken("open the door"), said(2.0, "open the door"), said(3.0, "open a door"),
        said(4.0, "open the door"), said(5.0, "open the door", final=True),
    )  # fmt: skip
    assert emission == pytest.approx([1.5, 1.0, 0.5])
    assert settled == pytest.approx([1.5, 3.0, 0.5])
    assert final == pytest.approx([4.5, 4.0, 3.5])


def test_a_word_put_in_front_of_others_does_not_make_them_new() -> None:
    emission, settled, _ = latencies(
        spoken("open the door"), said(2.0, "the door"), said(3.0, "open the door", final=True)
    )
    assert emission == settled == pytest.approx([2.5, 1.0, 0.5])


def test_what_stood_there_before_a_word_was_spoken_was_another_word() -> None:
    """A window that rolls on shows "the" long before the "the" that the final has."""
    emission, _, _ = latencies(
        spoken("the", 8.0), said(1.0, "the", 0), said(9.0, "the", 0),
        said(10.0, "the", 0, final=True, t0=8.0, t1=8.5),
    )  # fmt: skip
    assert emission == pytest.approx([0.5])


def test_an_utterance_without_words_has_no_latency() -> None:
    silence = spoken("", 20.0)
    log = log_of(spoken("open"), silence, said(2.0, "open", final=True))
    for name in (*NAMES, "finalization_delay"):
        assert len(METRICS[name](log).samples or ()) == 1
    for name in ("finalization_delay", "time_to_first_text", "first_chunk_latency"):
        assert METRICS[name](log_of(silence)).absent == "nothing was spoken"


def test_the_delay_is_to_the_last_word_and_not_to_the_last_that_was_right() -> None:
    """The first final lacks the last word; the second one brings another in its place."""
    first = said(2.0, "open the", 0, final=True, t0=0.0, t1=1.0)
    late = said(6.0, "gate", 1, final=True, t0=1.0, t1=1.5)
    delay = METRICS["finalization_delay"]
    assert delay(log_of(spoken("open the door"), first, late)).statistic("p50") == 4.5
    assert delay(log_of(spoken("open the door"), first)).statistic("p50") == math.inf


def test_of_equal_sentences_the_one_at_its_time_was_recognised() -> None:
    """The first of three is lost; the other two stay as early as they were."""
    three = [spoken("stop now", 10.0 * at) for at in range(3)]
    finals = [said(10.0 * at + 2, "stop now", at, final=True, t0=10.0 * at, t1=10.0 * at + 1)
              for at in (1, 2)]  # fmt: skip
    _, _, final = latencies(*three, *finals)
    assert final == pytest.approx([math.inf, math.inf, 1.5, 1.0, 1.5, 1.0])


def test_a_word_that_no_final_has_right_never_came() -> None:
    """Although a partial had it: recognising less must not make the figure better."""
    for row in latencies(
        spoken("open the door"), said(1.0, "open the door"), said(5.0, "open a door", final=True)
    ):
        assert row[1] == math.inf
        assert math.isfinite(row[0])
        assert math.isfinite(row[2])


def test_nothing_recognised_is_infinite_for_every_word() -> None:
    for events in ((), (said(5.0, "", final=True),), (said(1.0, "open the door"),)):
        assert latencies(spoken("open the door"), *events) == [[math.inf] * 3] * 3


def test_words_are_matched_across_segments() -> None:
    emission, _, final = latencies(
        spoken("a b"), spoken("a b", 10.0), said(2.0, "a b", 0, final=True), said(11.0, "a", 1),
        said(12.0, "a b", 1, final=True, t0=10.0, t1=11.0),
    )  # fmt: skip
    assert emission == pytest.approx([1.5, 1.0, 0.5, 1.0])
    assert final == pytest.approx([1.5, 1.0, 1.5, 1.0])


def test_each_source_has_its_own_beginning() -> None:
    log = log_of(
        spoken("open"), spoken("open", source=SYSTEM), said(2.0, "open", final=True),
        said(2.0, "open", final=True, source=SYSTEM), starts_s={MIC: 0.0, SYSTEM: 0.7},
    )  # fmt: skip
    assert METRICS["word_final_latency"](log).samples == pytest.approx((1.5, 0.8))


def test_several_tokens_of_a_timed_word_share_its_end() -> None:
    words = (Word("well-known", 0.0, 1.0), Word("door", 1.0, 1.5))
    truth = Utterance(
        source=MIC, utterance_id="x", t0=0, t1=1.5, text="well-known door", words=words
    )
    emission, *_ = latencies(truth, said(3.0, "well known door", final=True))
    assert emission == pytest.approx([2.0, 2.0, 1.5])


def test_without_word_times_it_is_absent_with_the_reason() -> None:
    plain = Utterance(source=MIC, utterance_id="x", t0=0, t1=1, text="open", words=None)
    for name in NAMES:
        measurement = METRICS[name](log_of(plain, said(2.0, "open", final=True)))
        assert measurement == Measurement(unit="s", absent="the corpus has no word times")


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5), min_size=1, max_size=6))
def test_a_word_comes_up_before_it_settles_before_it_is_final(texts: list[list[str]]) -> None:
    events = [said(5.0 + at, " ".join(text), final=at == len(texts) - 1)
              for at, text in enumerate(texts)]  # fmt: skip
    truth = spoken("a b c a")
    emission, settled, final = latencies(truth, *events)
    assert truth.words is not None
    for word, *row in zip(truth.words, emission, settled, final, strict=True):
        assert row[0] <= row[1] <= row[2]
        missed = math.isinf(row[2])
        assert missed or row[2] == pytest.approx(5.0 + len(texts) - 1 - word.t1)
        assert missed == math.isinf(row[0])


def test_time_to_first_text_is_from_the_first_speech_of_each_source() -> None:
    log = log_of(
        spoken("open", 2.0), spoken("open", 1.0, SYSTEM), spoken("door", 9.0),
        said(1.5, ""), said(3.0, "open"), said(1.2, "thank you", source=SYSTEM),
        starts_s={MIC: 0.0, SYSTEM: 0.5},
    )  # fmt: skip
    assert METRICS["time_to_first_text"](log).samples == pytest.approx((1.0, -0.3))
    silent = log_of(spoken("open", 2.0))
    assert METRICS["time_to_first_text"](silent).samples == (math.inf,)
    assert METRICS["time_to_first_text"](log_of()).absent == "nothing was spoken"

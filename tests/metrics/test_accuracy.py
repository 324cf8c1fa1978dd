import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.events import Event, Utterance
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import MIC, SYSTEM, chunks, log_of, said, spoken

words = st.lists(st.sampled_from(["open", "the", "door", "stop", "nine"]), max_size=8)


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events, starts_s={MIC: 0.0, SYSTEM: 0.0}))


def wer(reference: str, hypothesis: str) -> float | None:
    return of("wer", spoken(reference), said(9.0, hypothesis, final=True)).value


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "words"),
    [
        ("open the door", "open the door", 0, 3),
        ("Open the door!", "open, THE door", 0, 3),
        ("open the door", "open a door", 1, 3),
        ("open the door", "the door", 1, 3),
        ("open the door", "open up the door", 1, 3),
        ("open the door", "", 3, 3),
        ("open the door", "a b c d e", 5, 3),
        ("open the door", "door the open", 2, 3),
        ("well-known don't", "well known dont", 1, 3),
        ("nine", "nine nine nine", 2, 1),
    ],
)
def test_errors_counted_by_hand(reference: str, hypothesis: str, errors: int, words: int) -> None:
    assert wer(reference, hypothesis) == pytest.approx(errors / words)


@pytest.mark.slow
@given(st.lists(words.filter(bool), min_size=1, max_size=4), words)
def test_the_rate_is_that_of_jiwer(utterances: list[list[str]], heard: list[str]) -> None:
    events = [spoken(" ".join(utterance), 10.0 * at) for at, utterance in enumerate(utterances)]
    found = of("wer", *events, said(99.0, " ".join(heard), final=True))
    reference = " ".join(" ".join(utterance) for utterance in utterances)
    assert found.value == pytest.approx(jiwer.wer(reference, " ".join(heard)))
    assert found.count == sum(map(len, utterances))


def test_sources_are_pooled_by_their_words() -> None:
    found = of(
        "wer", spoken("a b c d"), said(5.0, "a b c d", final=True),
        spoken("e f", source=SYSTEM), said(5.0, "x y", final=True, source=SYSTEM),
    )  # fmt: skip
    assert found.value == pytest.approx(2 / 6)


def test_what_is_said_about_another_source_does_not_help() -> None:
    found = of(
        "wer", spoken("open the door"), said(5.0, "open the door", final=True, source=SYSTEM)
    )
    assert found.value == 1.0


def test_partials_do_not_count() -> None:
    events = (spoken("open the door"), said(1.0, "shut it"), said(2.0, "open the door", final=True))
    assert of("wer", *events).value == 0


def test_words_invented_where_nothing_was_said_count() -> None:
    quiet = Utterance(source=MIC, utterance_id="quiet", t0=5, t1=9, text="", words=())
    found = of("wer", spoken("open"), quiet, said(9.0, "open thank you", final=True))
    assert found.value == 2.0


@pytest.mark.parametrize("name", ["wer", "cer", "matched_words"])
def test_nothing_spoken_is_no_rate(name: str) -> None:
    """However much was said; a rate of nothing would be a count."""
    for events in ((), (said(1.0, "thank you", final=True),), (spoken(" … "),)):
        assert of(name, *events).absent == "nothing was spoken"


def test_the_bounds_come_from_the_utterances() -> None:
    """All errors in one of them say less about the next than as many all over."""
    names = "abcdefghijklmnopqrst"
    utterances = [spoken(" ".join(letter * 3 for letter in names[at : at + 5]), 10.0 * at)
                  for at in range(12)]  # fmt: skip
    texts = [utterance.text.split() for utterance in utterances]
    spread = [" ".join(["x", *text[1:]]) if at < 5 else " ".join(text)
              for at, text in enumerate(texts)]  # fmt: skip
    lumped = ["x x x x x" if at == 0 else " ".join(text) for at, text in enumerate(texts)]
    widths = []
    for heard in (spread, lumped):
        found = of("wer", *utterances, said(999.0, " ".join(heard), final=True))
        assert found.value == pytest.approx(5 / 60)
        assert found.bounds is not None
        widths.append(found.bounds[1] - found.bounds[0])
    assert widths[0] < widths[1]


def test_a_perfect_score_on_a_few_words_is_not_a_proof() -> None:
    found = of("wer", spoken("open the door"), said(5.0, "open the door", final=True))
    assert found.value == 0
    assert found.bounds is not None
    assert found.bounds[1] > 0.5


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "characters"),
    [("door", "door", 0, 4), ("door", "dour", 1, 4), ("the door", "thedoor", 1, 8),
     ("open", "", 4, 4), ("Open!", "open", 0, 4)],
)  # fmt: skip
def test_characters_are_counted_on_plain_words(
    reference: str, hypothesis: str, errors: int, characters: int
) -> None:
    found = of("cer", spoken(reference), said(5.0, hypothesis, final=True))
    assert found.value == pytest.approx(errors / characters)
    assert found.count == characters


def test_matched_words_are_those_that_a_final_has_right() -> None:
    events = (spoken("open the door now"), said(2.0, "open the window"),
              said(5.0, "open a door", final=True))  # fmt: skip
    assert of("matched_words", *events).value == pytest.approx(2 / 4)


def test_a_last_word_that_is_missing_is_not_late_but_missing() -> None:
    """What an engine never shows has no latency; so it has a figure of its own."""
    three = [spoken("open the door", 10.0 * at) for at in range(3)]
    finals = [
        said(10.0 * at + 2, text, at, final=True, t0=10.0 * at, t1=10.0 * at + 1.5)
        for at, text in enumerate(("open the door", "open the gate", "open the"))
    ]
    found = of("last_words_missing", *three, *finals)
    assert found.value == pytest.approx(1 / 3)
    assert found.count == 3
    assert found.bounds == pytest.approx((0.01695, 0.86465), abs=1e-4)  # Clopper and Pearson
    assert of("last_words_missing", *three).absent


def test_words_where_nobody_spoke_are_counted_per_hour() -> None:
    words = said(30.0, "thank you", 1, final=True, t0=28.0, t1=29.0)
    right = said(2.0, "open", 0, final=True, t0=0.0, t1=0.5)
    played = chunks([0.1] * 60)
    found = of("invented_words", spoken("open"), *played, right, words)
    assert found.value == pytest.approx(120.0)
    assert found.count == 2
    assert of("invented_words", spoken("", 5.0), *played, words).value == pytest.approx(120.0)
    assert of("invented_words", spoken("open"), *played, right).value == 0

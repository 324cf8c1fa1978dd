import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.events import Event
from harness.metrics import METRICS
from tests.metrics.logs import MIC, SYSTEM, log_of, said


def erasure(*events: Event) -> float | None:
    log = log_of(*events, starts_s={MIC: 0.0, SYSTEM: 0.0})
    return METRICS["normalized_erasure"](log).value


def retracted(*events: Event) -> float | None:
    return METRICS["stable_words_retracted"](log_of(*events)).value


def test_text_that_only_grows_erases_nothing() -> None:
    assert erasure(said(1, "open"), said(2, "open the"), said(3, "Open the door.", final=True)) == 0


@pytest.mark.parametrize(
    ("texts", "erased", "kept"),
    [
        (["open a window", "open the door"], 2, 3),
        (["open a", "", "open the door"], 2, 3),
        (["a b c d", "x b c d"], 4, 4),
        (["a b c d", "a b"], 2, 2),
        (["a", "b", "c", "a"], 3, 1),
        (["a a b", "a b"], 2, 2),
        (["open the door", "open the door"], 0, 3),
    ],
)
def test_a_revision_erases_all_after_what_it_shares(
    texts: list[str], erased: int, kept: int
) -> None:
    events = [said(float(at), text, final=at == len(texts) - 1) for at, text in enumerate(texts)]
    assert erasure(*events) == pytest.approx(erased / kept)


def test_segments_and_sources_are_added_up_and_not_mixed() -> None:
    events = (
        said(1, "a b", 0), said(1, "x y", 0, source=SYSTEM), said(2, "a c", 0, final=True),
        said(2, "x y", 0, final=True, source=SYSTEM), said(3, "d", 1),
        said(4, "e f", 1, final=True),
    )  # fmt: skip
    assert erasure(*events) == pytest.approx(2 / 6)


def test_without_a_final_word_it_is_absent() -> None:
    for events in ((), (said(1, "a b"),), (said(1, "a b"), said(2, "", final=True))):
        measurement = METRICS["normalized_erasure"](log_of(*events))
        assert measurement.absent == "no word in any final"


words = st.lists(st.sampled_from("abc"), max_size=6)


@given(st.lists(words, min_size=1, max_size=6))
def test_erasure_is_what_a_typist_would_delete(texts: list[list[str]]) -> None:
    """Who has to turn each text into the next with the backspace key alone, word by word."""
    screen: list[str] = []
    deleted = 0
    for text in texts:
        while screen != text[: len(screen)]:
            screen.pop()
            deleted += 1
        screen = text[:]
    events = [said(float(at), " ".join(text), final=at == len(texts) - 1)
              for at, text in enumerate(texts)]  # fmt: skip
    found = erasure(*events)
    assert found is None if not texts[-1] else found == pytest.approx(deleted / len(texts[-1]))


def test_stable_words_that_change_are_retracted() -> None:
    assert retracted(said(1, "open a door", stable=1), said(2, "open the door", final=True)) == 0
    assert retracted(
        said(1, "open a door", stable=2), said(2, "open the door", final=True, stable=3)
    ) == pytest.approx(1 / 2)
    assert retracted(
        said(1, "open the", stable=2), said(2, "open", stable=1), said(3, "shut", final=True)
    ) == pytest.approx(2 / 3)


def test_case_and_punctuation_are_no_retraction() -> None:
    assert retracted(said(1, "open, the", stable=2), said(2, "Open the door!", final=True)) == 0


def test_a_provider_that_calls_nothing_stable_has_no_figure() -> None:
    log = log_of(said(1, "open a"), said(2, "shut it", final=True))
    assert METRICS["stable_words_retracted"](log).absent

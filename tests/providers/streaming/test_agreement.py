import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from providers.streaming.agreement import agreed, spoken_form

VOCABULARY = st.sampled_from(["open", "Open,", "OPEN!", "the", "The", "door", "dóor", "don't", "—"])
hypotheses = st.lists(VOCABULARY, max_size=8)


@given(hypotheses, hypotheses)
def test_what_is_agreed_is_the_longest_common_beginning(before: list[str], now: list[str]) -> None:
    count = agreed(before, now)
    forms_before, forms_now = [*map(spoken_form, before)], [*map(spoken_form, now)]
    assert forms_before[:count] == forms_now[:count]
    assert forms_before[: count + 1] != forms_now[: count + 1] or count == min(
        len(before), len(now)
    )


@given(hypotheses, hypotheses)
def test_agreement_has_no_direction(before: list[str], now: list[str]) -> None:
    assert agreed(before, now) == agreed(now, before)
    assert agreed(now, now) == len(now)


@given(st.text())
def test_the_spoken_form_is_settled(text: str) -> None:
    """It holds letters, marks and numbers only, and taking it again changes nothing."""
    form = spoken_form(text)
    assert all(unicodedata.category(letter)[0] in "LNM" for letter in form)
    assert spoken_form(form) == form


@given(st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F)))
def test_case_and_punctuation_make_no_difference(text: str) -> None:
    assert spoken_form(f" “{text}”, ") == spoken_form(text) == spoken_form(text.casefold())


def test_other_words_differ() -> None:
    assert spoken_form("door") != spoken_form("dour")
    assert spoken_form("4") != spoken_form("5")
    assert spoken_form("naïve") != spoken_form("naive")

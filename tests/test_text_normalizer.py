# ruff: noqa: RUF001  (it is about characters that look alike)
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.text_normalizer import tokens

LETTERS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Mc", "Nd"]), min_size=1)


@given(st.text())
@example("ﬃ ẞ İ Ǆ ΐ ͅ")
@example("ℌello Ⅷ ½ ㌔")
def test_normal_words_stay_as_they_are(text: str) -> None:
    words = tokens(text)
    assert tokens(" ".join(words)) == words


@given(st.text())
def test_a_word_holds_letters_marks_and_numbers_and_apostrophes_inside(text: str) -> None:
    for word in tokens(text):
        assert word
        assert word.strip("'") == word
        for letter in word.replace("'", ""):
            assert unicodedata.category(letter)[0] in "LMN"


@given(st.text(st.characters(categories=["L", "N", "P", "Z"], max_codepoint=0x24F)))
def test_case_makes_no_difference(text: str) -> None:
    assert tokens(text) == tokens(text.casefold())


@given(st.lists(st.sampled_from(["open", "Don't", "well-known", "Größe", "naïve", "8", "हिन्दी"])))
def test_unicode_forms_make_no_difference(words: list[str]) -> None:
    text = " ".join(words)
    forms = [tokens(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert all(form == forms[0] for form in forms)


@given(LETTERS, st.sampled_from('.,;:!?…—–-()/«»„“”"\n\t\u00a0\u2003_*#'))
def test_punctuation_parts_words(text: str, mark: str) -> None:
    assert tokens(f"{text}{mark}{text}") == tokens(f"{text} {text}")
    assert tokens(f"{mark}{text}{mark}") == tokens(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Rock 'n' roll, y'all!", ["rock", "n", "roll", "y'all"]),
        ("the dogs' ''quoted'' don’t", ["the", "dogs", "quoted", "don't"]),
        ("O''Neill", ["o", "neill"]),
        ("[laughter] well <VOCNOISE> yes (sic)", ["well", "yes", "sic"]),
        ("a < b and c > d", ["a", "d"]),
        ("[unclosed tag", ["unclosed", "tag"]),
        ("3.5 kHz at 10,000", ["3", "5", "khz", "at", "10", "000"]),
        ("twenty-one", ["twenty", "one"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("สวัสดีครับ", ["สวัสดีครับ"]),
        ("مَرْحَبًا", ["مَرْحَبًا"]),
        ("", []),
        ("♪ ♪ …", []),
    ],
)
def test_known_texts(text: str, words: list[str]) -> None:
    assert tokens(text) == words

"""The default tries as many examples as a test asks for; the others fewer, or more."""

import pytest
from hypothesis import settings

from tests.profiles import DEFAULT, EXAMPLES, FEWEST, SHARES, VARIABLE, chosen, examples


def test_the_default_tries_what_a_test_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen() == DEFAULT == "ci"
    assert [examples(number) for number in (12, 60, 300)] == [12, 60, 300]


@pytest.mark.parametrize(("name", "number"), [("dev", 12), ("ci", 60), ("thorough", 600)])
def test_a_profile_is_a_share(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    monkeypatch.setenv(VARIABLE, name)
    assert examples(60) == number
    assert examples(1) >= FEWEST


def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "quick")
    with pytest.raises(ValueError, match="HYPOTHESIS_PROFILE: 'quick'; allowed: dev, ci, thorough"):
        chosen()


def test_the_chosen_one_is_in_force() -> None:
    assert settings.default is not None
    assert settings.default.max_examples == round(EXAMPLES * SHARES[chosen()])
    assert settings.default.deadline is None

import pytest

from tests.providers.signals import samples_of
from tests.providers.tones import ToneEngine, in_session, listen, say, text_of


def test_a_word_is_stable_when_two_partials_agree_on_it() -> None:
    engine = ToneEngine()
    samples = say(["ah", "bee", "cee", "dee"])
    said = in_session(listen(engine, samples, [samples_of(0.4)]), engine)
    partials = [segment for segment in said if not segment.is_final]
    assert [len(segment.words) for segment in partials] == [1, 2, 3, 4]
    assert [segment.stable_words for segment in partials] == [0, 1, 2, 3]


@pytest.mark.parametrize(("anew", "decodes"), [(False, 2), (True, 3)])
def test_an_engine_may_want_to_decode_every_final(anew: bool, decodes: int) -> None:
    """Where its partials took a short cut; else a partial that heard all is good enough."""
    engine = ToneEngine()
    engine.decodes_finals_anew = anew
    calls: list[bool] = []
    engine.on_decode = lambda samples, is_final: calls.append(is_final)  # type: ignore[method-assign]
    sizes = [samples_of(0.65), samples_of(0.4)]
    said = in_session(listen(engine, say(["ah"], after_s=2.0), sizes), engine)
    assert text_of(said) == ["ah"]
    assert calls == [False] * (decodes - anew) + [True] * anew

"""The published policy, as we wrote it down: is it right, so that comparing with it is fair?"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import Word
from tests.profiles import examples
from tests.providers.local_agreement import Agreement, LocalAgreement
from tests.providers.signals import chunk_sizes, samples_of
from tests.providers.tones import PITCHES_HZ, ToneEngine, in_session, listen, say


class AgreeingTones(LocalAgreement, ToneEngine):
    """Knows exactly what is said."""

    trim_above_s = 2.0


def words(text: str, begin_s: float = 0.0, word_s: float = 0.4) -> list[Word]:
    return [Word(word, begin_s + at * word_s, begin_s + (at + 1) * word_s)
            for at, word in enumerate(text.split())]  # fmt: skip


@pytest.mark.slow
@given(st.permutations(sorted(PITCHES_HZ)), st.permutations(sorted(PITCHES_HZ)), chunk_sizes)
@settings(max_examples=examples(30))
def test_every_word_is_said_once(first: list[str], second: list[str], sizes: list[int]) -> None:
    """Also when the buffer is cut. Words that are said twice in a row it does take for one."""
    engine = AgreeingTones()
    audio = np.concatenate([say(first), say(second)])
    said = in_session(listen(engine, audio, sizes), engine)
    assert " ".join(segment.text for segment in said).split() == first + second
    assert all(segment.is_final for segment in said)
    assert all(before.t1 <= after.t0 for before, after in pairwise(said))
    assert said[-1].t1 <= len(audio) / SAMPLE_RATE_HZ


def test_a_word_is_said_at_the_second_decode_that_has_it() -> None:
    engine = AgreeingTones()
    heard: list[int] = []
    engine.on_decode = lambda samples, is_final: heard.append(len(samples))  # type: ignore[method-assign]
    said = in_session(listen(engine, say(["ah", "bee", "cee"]), [samples_of(0.4)]), engine)
    assert [segment.text for segment in said] == ["ah", "bee", "cee"]
    assert heard[:3] == [samples_of(0.4 * count) for count in (1, 2, 3)]


def test_only_what_two_decodes_agree_on_is_committed() -> None:
    known = Agreement(trim_above_s=15.0)
    assert known.hear(words("open thee")) == []
    assert known.hear(words("Open the door")) == words("Open")
    assert known.hear(words("open the door now")) == words("open the door now")[1:3]
    assert [word.text for word in known.committed] == ["Open", "the", "door"]


@pytest.mark.parametrize("late_s", [-0.05, 0.0, 0.3])
def test_committed_words_that_come_again_are_not_committed_twice(late_s: float) -> None:
    """Their times differ from decode to decode."""
    known = Agreement(trim_above_s=15.0)
    for _ in range(2):
        known.hear(words("the old door"))
    again = words("old door opens now", begin_s=1.2 + late_s)
    known.hear(again)
    known.hear(again)
    assert [word.text for word in known.committed] == "the old door opens now".split()


def test_the_buffer_is_cut_where_a_committed_segment_ended() -> None:
    known = Agreement(trim_above_s=2.0)
    known.buffer = np.zeros(samples_of(3.0), np.float32)
    decoded = [*words("the old door"), *words("opens now please", begin_s=1.5)]
    known.hear(decoded)
    assert known.offset_s == 0
    known.hear(decoded)
    assert known.offset_s == pytest.approx(1.2)
    assert len(known.buffer) == samples_of(1.8)

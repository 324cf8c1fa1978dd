"""Times of a provider that was not given everything mean the audio that it was given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment, Word
from harness.session.beep_tap import BeepFinder
from harness.session.chunking import Chunk
from harness.session.time_mapping import SourceTimeMap
from harness.timeline.beep import beep
from tests.profiles import examples

pieces = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), min_size=1, max_size=12)


@given(pieces)
def test_every_sample_is_where_it_really_was(plan: list[tuple[int, int]]) -> None:
    """`plan`: how many samples are left out, and then how many are given."""
    heard, at, given_so_far = SourceTimeMap(), 0, 0
    places = []
    for number, (left_out, count) in enumerate(plan):
        at += left_out
        heard.add(Chunk(number, at, np.arange(at, at + count).astype(np.int16)))
        places += [(given_so_far, at), (given_so_far + count - 1, at + count - 1)]
        given_so_far, at = given_so_far + count, at + count
    for provider_sample, true_sample in places:
        time_s = (provider_sample + 0.5) / SAMPLE_RATE_HZ
        for moved_s in (heard.began_s(time_s), heard.ended_s(time_s)):
            assert moved_s * SAMPLE_RATE_HZ == pytest.approx(true_sample + 0.5)


def test_a_word_at_a_seam_belongs_to_the_side_that_it_lies_on() -> None:
    heard = SourceTimeMap()
    heard.add(Chunk(0, 0, np.zeros(SAMPLE_RATE_HZ, np.int16)))
    heard.add(Chunk(1, 9 * SAMPLE_RATE_HZ, np.zeros(SAMPLE_RATE_HZ, np.int16)))
    words = (Word("before", 0.5, 1.0), Word("after", 1.0, 1.5))
    segment = ASRSegment(source=None, segment_id=0, revision=0, is_final=True,
                         text="before after", t0=0.5, t1=1.5, words=words)  # fmt: skip
    moved = heard.moved(segment)
    assert moved.words == (Word("before", 0.5, 1.0), Word("after", 9.0, 9.5))
    assert (moved.t0, moved.t1) == (0.5, 9.5)


def test_without_a_gap_nothing_is_moved() -> None:
    heard = SourceTimeMap()
    heard.add(Chunk(0, 0, np.zeros(10, np.int16)))
    segment = ASRSegment(source=None, segment_id=0, revision=0, is_final=True, text="",
                         t0=0.0, t1=0.0)  # fmt: skip
    assert heard.moved(segment) is segment


@given(st.lists(st.integers(0, 12_000), min_size=1, max_size=6), st.integers(100, 9000),
       st.integers(-3000, 3000))  # fmt: skip
@settings(max_examples=examples(40))
def test_beeps_are_found_however_the_audio_is_cut(gaps: list[int], size: int, moved: int) -> None:
    """Each a little off its place; and the last one was never given."""
    expected, at = [], 8000
    for gap in gaps:
        expected.append(at)
        at += 24_000 + gap
    audio = np.zeros(at + 24_000, np.int16)
    really = [begin + moved for begin in expected[:-1]]
    for begin in really:
        audio[begin : begin + len(beep())] = beep()
    finder = BeepFinder(expected)
    for number, first in enumerate(range(0, len(audio), size)):
        finder.take(Chunk(number, first, audio[first : first + size]))
    finder.finish()
    assert finder.found == [*really, None]

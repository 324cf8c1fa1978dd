"""Where segments begin and end, and which windows of them are decoded."""

from itertools import pairwise

import numpy as np
import pytest

from harness.audio import SAMPLE_RATE_HZ, Samples
from providers.streaming.energy import FRAME
from providers.streaming.segmenter import Limits
from tests.providers.signals import (
    finals,
    noise,
    samples_of,
    segmenter,
    speech,
    windows_of,
)


def between_silences(middle: Samples) -> Samples:
    return np.concatenate([noise(samples_of(1), -70), middle, noise(samples_of(1), -70, seed=1)])


def test_a_segment_keeps_what_lies_around_speech() -> None:
    samples = between_silences(speech(samples_of(1.0)))
    (final,) = [window for window in windows_of(segmenter(), samples) if window.is_final]
    limits = Limits()
    assert final.begin == pytest.approx(samples_of(1.0 - limits.lead_s), abs=3 * FRAME)
    assert final.end == pytest.approx(samples_of(2.0 + limits.tail_s), abs=5 * FRAME)


def test_a_pause_parts_segments_and_a_breath_does_not() -> None:
    for pause_s, count in ((0.3, 1), (0.8, 2)):
        halves = [speech(samples_of(1.0)), noise(samples_of(pause_s), -70)]
        samples = between_silences(np.concatenate([*halves, speech(samples_of(1.0), seed=2)]))
        assert len(finals(windows_of(segmenter(Limits()), samples))) == count


@pytest.mark.parametrize(("length_s", "count"), [(0.5, 1), (2.5, 1), (5.0, 2), (9.0, 2)])
def test_a_long_segment_ends_at_a_breath(length_s: float, count: int) -> None:
    """The longer it has become, the shorter a pause ends it."""
    halves = [speech(samples_of(length_s)), noise(samples_of(0.35), -70)]
    samples = between_silences(np.concatenate([*halves, speech(samples_of(0.7), seed=2)]))
    assert len(finals(windows_of(segmenter(Limits()), samples))) == count


def test_a_fragment_of_speech_is_not_worth_a_partial() -> None:
    """While it goes on; a short word that is over is."""
    limits = Limits(min_new_speech_s=0.3)
    for length_s, count in ((0.2, 0), (0.4, 1)):
        for ends in (False, True):
            subject = segmenter(limits)
            parts = [noise(samples_of(1), -70), speech(samples_of(length_s))]
            after = [noise(samples_of(0.16), -70)] if ends else []
            windows = subject.push(np.concatenate([*parts, *after]))
            assert len(windows) == max(count, ends)
            assert len(subject.flush()) == 1


def test_a_click_begins_no_segment() -> None:
    click = noise(samples_of(0.03), -10)
    assert windows_of(segmenter(), between_silences(click)) == []


def test_a_forced_cut_falls_where_it_is_quietest() -> None:
    for quiet_at_s in (2.3, 2.9, 3.5):
        samples = between_silences(speech(samples_of(8.0)))
        begin = samples_of(1.0 + quiet_at_s)
        samples[begin : begin + samples_of(0.1)] *= 0.001
        first = finals(windows_of(segmenter(), samples))[0]
        middle = begin + samples_of(0.05)
        assert first[2] == pytest.approx(middle, abs=2 * FRAME)


def test_a_forced_cut_loses_and_repeats_nothing() -> None:
    samples = between_silences(speech(samples_of(20.0)))
    said = finals(windows_of(segmenter(), samples))
    assert len(said) >= 5
    assert all(before[2] == after[1] for before, after in pairwise(said))


def test_a_final_has_news_only_if_a_partial_did_not_hear_it_all() -> None:
    samples = between_silences(speech(samples_of(1.0)))
    for sizes, has_new_speech in (
        ((samples_of(2.2), SAMPLE_RATE_HZ), False),
        ((len(samples),), True),
    ):
        windows = windows_of(segmenter(), samples, sizes)
        assert [window.is_final for window in windows] == [False, True][-len(windows) :]
        assert windows[-1].has_new_speech is has_new_speech


def test_a_final_cut_short_of_what_was_shown_is_decoded_anew() -> None:
    """Otherwise words would be shown in this segment and again in the next."""
    samples = between_silences(speech(samples_of(8.0)))
    windows = windows_of(segmenter(), samples, [samples_of(0.1)])
    for before, after in pairwise(windows):
        if after.is_final and before.segment_id == after.segment_id and before.end > after.end:
            assert after.has_new_speech


def test_a_partial_without_new_speech_is_not_handed_out() -> None:
    samples = between_silences(speech(samples_of(1.0)))
    windows = windows_of(segmenter(), samples, [samples_of(0.05)])
    partials = [window for window in windows if not window.is_final]
    assert all(window.has_new_speech for window in windows[:-1])
    assert max(window.end for window in partials) <= samples_of(2.2)

"""What the segmenter keeps for any audio, however it is cut: samples, order, limits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioAccount
from providers.streaming.energy import FRAME
from providers.streaming.segmenter import Segmenter, Window
from tests.profiles import examples
from tests.providers.signals import (
    LIMITS,
    Piece,
    covered,
    cut,
    finals,
    noise,
    pieces,
    push_sizes,
    render,
    samples_of,
    segmenter,
    speech,
    windows_of,
)


@pytest.mark.slow
@given(pieces, push_sizes, st.integers(0, 3))
@settings(max_examples=examples(60))
def test_audio_is_conserved_at_every_moment(parts: list[Piece], sizes: list[int], lag: int) -> None:
    """However late windows are decoded, and whatever they hold."""
    samples, subject = render(parts), segmenter()
    waiting: list[Window] = []
    given_so_far = 0

    def check() -> None:
        account = subject.account
        assert account.received == given_so_far
        unsettled = sum(window.new_samples for window in waiting)
        assert account.pending >= unsettled
        assert min(account.decoded, account.skipped) >= 0
        assert account.dropped == 0

    for piece in cut(samples, sizes):
        given_so_far += len(piece)
        waiting += subject.push(piece)
        while len(waiting) > lag:
            window = waiting.pop(0)
            assert subject.settle(window, decoded=window.has_new_speech)
            check()
        check()
    waiting += subject.flush()
    assert subject.account.pending == sum(window.new_samples for window in waiting)
    for window in waiting:
        subject.settle(window, decoded=window.has_new_speech)
    assert subject.account.pending == 0


@pytest.mark.slow
@given(pieces, push_sizes)
@settings(max_examples=examples(60))
def test_what_counts_as_decoded_was_in_a_window(parts: list[Piece], sizes: list[int]) -> None:
    samples, subject = render(parts), segmenter()
    windows = windows_of(subject, samples, sizes)
    handed_out = sum(covered(windows, len(samples)))
    assert sum(window.new_samples for window in windows) == handed_out
    assert subject.account.decoded <= handed_out
    assert subject.account.decoded + subject.account.skipped == len(samples)


@pytest.mark.slow
@given(pieces, push_sizes)
@settings(max_examples=examples(60))
def test_windows_hold_the_audio_that_they_name(parts: list[Piece], sizes: list[int]) -> None:
    samples = render(parts)
    for window in windows_of(segmenter(), samples, sizes):
        assert np.array_equal(window.samples, samples[window.begin : window.end])


@given(pieces, push_sizes)
@settings(max_examples=examples(60))
def test_windows_come_in_order_and_finals_follow_one_another(
    parts: list[Piece], sizes: list[int]
) -> None:
    windows = windows_of(segmenter(), render(parts), sizes)
    for before, after in pairwise(windows):
        if before.is_final:
            assert after.segment_id == before.segment_id + 1
            assert after.begin >= before.end
        else:
            assert after.segment_id == before.segment_id
            assert after.begin == before.begin
    assert not windows or windows[-1].is_final


@pytest.mark.slow
@given(pieces, push_sizes)
@settings(max_examples=examples(60))
def test_no_window_is_longer_than_the_limit(parts: list[Piece], sizes: list[int]) -> None:
    """A frame may be judged only when it is whole, so up to one more can be in hand."""
    for window in windows_of(segmenter(), render(parts), sizes):
        assert len(window.samples) < samples_of(LIMITS.longest_s) + FRAME


@pytest.mark.slow
@given(pieces, push_sizes, push_sizes)
@settings(max_examples=examples(100))
def test_the_finals_do_not_depend_on_how_audio_is_cut(
    parts: list[Piece], sizes: list[int], other_sizes: list[int]
) -> None:
    samples = render(parts)
    once = finals(windows_of(segmenter(), samples, sizes))
    again = finals(windows_of(segmenter(), samples, other_sizes))
    assert once == again


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.floats(0.7, 4.0), st.floats(0.25, 10.0), st.floats(-30, -6)),
        min_size=1,
        max_size=4,
    ),
    push_sizes,
)
@example([(1.0, 3.65625, -6.0)], [301])  # cut by force just where it ends, in its faint end
@settings(max_examples=examples(60))
def test_finals_cover_all_speech(
    bursts: list[tuple[float, float, float]], sizes: list[int]
) -> None:
    """Every burst that stands out from the noise, from its first sample to its last."""
    parts = [piece for gap_s, length_s, level_db in bursts
             for piece in (Piece(False, gap_s, -70), Piece(True, length_s, level_db))]  # fmt: skip
    samples = render([*parts, Piece(False, 1.0, -70)])
    windows = windows_of(segmenter(), samples, sizes)
    mask = covered([window for window in windows if window.is_final], len(samples))
    at = 0
    for part in parts:
        end = at + samples_of(part.length_s)
        assert not part.is_speech or all(mask[at:end])
        at = end


@given(st.integers(0, 2**32), st.floats(-95, -20), push_sizes)
@settings(max_examples=examples(40))
def test_steady_noise_is_never_decoded(seed: int, level_db: float, sizes: list[int]) -> None:
    subject = segmenter()
    assert windows_of(subject, noise(samples_of(6.0), level_db, seed), sizes) == []
    assert subject.account.skipped == samples_of(6.0)


@pytest.mark.slow
@given(pieces, push_sizes, st.sets(st.integers(0, 30), max_size=4))
@settings(max_examples=examples(60))
def test_flush_at_any_moment_settles_everything(
    parts: list[Piece], sizes: list[int], flush_after: set[int]
) -> None:
    samples, subject = render(parts), segmenter()
    windows: list[Window] = []
    for number, piece in enumerate(cut(samples, sizes)):
        windows += subject.push(piece)
        if number in flush_after:
            windows += subject.flush()
            assert subject.flush() == []
            assert subject.account.pending == sum(window.new_samples for window in windows)
            for window in windows:
                subject.settle(window, decoded=True)
            assert subject.account.pending == 0
            assert all(window.end <= subject.account.received for window in windows)
            windows = []
            flushed_at = subject.account.received
            after = subject.push(np.zeros(0, np.float32))
            assert after == []
            assert subject.account.received == flushed_at


@pytest.mark.slow
@given(pieces, push_sizes, st.integers(0, 30), st.booleans())
@settings(max_examples=examples(60))
def test_after_a_stream_is_left_the_next_one_goes_on(
    parts: list[Piece], sizes: list[int], left_after: int, decoding: bool
) -> None:
    """What was in hand counts as dropped, and a late answer changes nothing."""
    samples, subject = render(parts), segmenter()
    waiting: list[Window] = []
    for number, piece in enumerate(cut(samples, sizes)):
        waiting += subject.push(piece)
        if number == left_after:
            break
    received = subject.account.received
    subject.abandon()
    assert subject.account.pending == 0
    if decoding and waiting:
        assert not subject.settle(waiting[0], decoded=True)
    more = np.concatenate([np.zeros(samples_of(3.5), np.float32), speech(samples_of(1.0))])
    windows = windows_of(subject, more)
    assert all(window.begin >= received for window in windows)
    assert {window.segment_id for window in windows}.isdisjoint(w.segment_id for w in waiting)
    assert covered(windows, received + len(more))[-samples_of(0.9) :].count(False) == 0
    assert subject.account.pending == 0


@given(pieces, push_sizes)
@example(
    [Piece(False, 1.0, None), Piece(True, 1.0, -20.0), Piece(False, 2.0, None)],
    [samples_of(2.4), SAMPLE_RATE_HZ],  # the first ends in the pause, behind what belongs to speech
)
@settings(max_examples=examples(40))
def test_an_engine_that_keeps_what_it_hears_gets_each_sample_of_its_segment_once(
    parts: list[Piece], sizes: list[int]
) -> None:
    """The new samples of a segment's windows make up the whole of it; nothing goes back."""
    samples = render(parts)
    subject = Segmenter(LIMITS, AudioAccount(), in_order=True)
    windows = [window for piece in cut(samples, sizes) for window in subject.push(piece)]
    windows += subject.flush()
    fed: dict[int, list[Samples]] = {}
    for window in windows:
        fed.setdefault(window.segment_id, []).append(
            window.samples[len(window.samples) - window.new_samples :]
        )
    for before, after in pairwise(finals(windows)):
        assert before[2] <= after[1]
    for number, begin, end in finals(windows):
        assert np.array_equal(np.concatenate(fed[number]), samples[begin:end])
        # A chunk that has been handed out before its segment ends can't be taken back.
        assert end - begin <= samples_of(LIMITS.longest_s) + max(sizes)

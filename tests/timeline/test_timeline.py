"""Timelines: the same for a seed, true to the sample, and fair to every utterance."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import FULL_SCALE, SAMPLE_RATE_HZ
from harness.contract import AudioSource, Word
from harness.errors import UsageError
from harness.specs.scenario import Scenario, SourceScript
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.timeline import Track, build_timeline
from tests.profiles import examples

QUIET_DBFS = -120.0
"""Noise that never reaches half a step of 16 bits."""


def corpus_of(lengths: list[int], loudness: int = 1000) -> list[CorpusUtterance]:
    """Utterances of those lengths in samples; each sample tells whose it is."""

    def one(number: int, length: int) -> CorpusUtterance:
        pcm = np.full(length, loudness + number, np.int16)
        half_s = length / SAMPLE_RATE_HZ / 2
        words = (Word("a", 0.0, half_s), Word("b", half_s, 2 * half_s))
        return CorpusUtterance(
            f"u{number}", "a b", length / SAMPLE_RATE_HZ, words if number % 2 else None, pcm.copy
        )

    return [one(number, length) for number, length in enumerate(lengths)]


def scenario_of(
    duration_s: float,
    *,
    gap_s: tuple[float, float] = (0.1, 0.4),
    noise_dbfs: float = QUIET_DBFS,
    lead_in_s: float = 0.5,
) -> Scenario:
    sources = tuple(
        SourceScript(name=name, gap_s=gap_s, lead_in_s=lead_in_s, start_s=start_s)
        for name, start_s in ((AudioSource.MIC, 0.0), (AudioSource.SYSTEM, 0.37))
    )
    return Scenario(
        title="t", name="t", duration_s=duration_s, sources=sources, noise_dbfs=noise_dbfs
    )


def bytes_of(tracks: list[Track]) -> list[bytes]:
    return [track.audio.tobytes() for track in tracks]


scenarios = st.builds(
    scenario_of,
    st.floats(3.0, 60.0),
    gap_s=st.tuples(st.floats(0, 0.5), st.floats(0.5, 2.0)),
    lead_in_s=st.floats(0, 1),
)
corpora = st.lists(st.integers(1, 2 * SAMPLE_RATE_HZ), min_size=1, max_size=8).map(corpus_of)


@pytest.mark.slow
@given(scenarios, corpora, st.integers(0, 2**31))
@settings(max_examples=examples(50))
def test_truth_is_true_to_the_sample(
    scenario: Scenario, corpus: list[CorpusUtterance], seed: int
) -> None:
    by_id = {utterance.utterance_id: utterance for utterance in corpus}
    for track, script in zip(build_timeline(scenario, corpus, seed), scenario.sources, strict=True):
        assert (track.source, track.start_s) == (script.name, script.start_s)
        assert len(track.audio) == round(scenario.duration_s * SAMPLE_RATE_HZ)
        expected = np.zeros(len(track.audio), np.int16)
        for utterance in track.truth:
            begin, end = round(utterance.t0 * SAMPLE_RATE_HZ), round(utterance.t1 * SAMPLE_RATE_HZ)
            assert begin / SAMPLE_RATE_HZ == utterance.t0
            assert not expected[begin:end].any()  # one at a time
            expected[begin:end] = by_id[utterance.utterance_id].read()
        assert (track.audio == expected).all()
        gaps_s = [after.t0 - before.t1 for before, after in pairwise(track.truth)]
        assert all(script.gap_s[0] - 1e-4 <= gap_s <= script.gap_s[1] + 1e-4 for gap_s in gaps_s)
        assert track.truth[0].t0 == pytest.approx(script.lead_in_s, abs=1e-4)
        for utterance in track.truth:
            words, spoken = utterance.words, by_id[utterance.utterance_id].words
            assert (words is None) == (spoken is None)
            for word, original in zip(words or (), spoken or (), strict=True):
                assert word.t0 == pytest.approx(utterance.t0 + original.t0)
                assert word.t1 == pytest.approx(utterance.t0 + original.t1)


@pytest.mark.slow
@given(scenarios, corpora, st.integers(0, 2**31))
@settings(max_examples=examples(15))
def test_a_seed_gives_the_same_samples_again(
    scenario: Scenario, corpus: list[CorpusUtterance], seed: int
) -> None:
    first, again = (build_timeline(scenario, corpus, seed) for _ in range(2))
    assert bytes_of(first) == bytes_of(again)
    assert [track.truth for track in first] == [track.truth for track in again]


def test_seeds_and_sources_differ() -> None:
    corpus = corpus_of([4000, 5000, 6000, 7000, 8000])
    timelines = [build_timeline(scenario_of(30, noise_dbfs=-60), corpus, seed) for seed in range(4)]
    everything = [audio for tracks in timelines for audio in bytes_of(tracks)]
    assert len(set(everything)) == 8
    orders = {
        tuple(u.utterance_id for u in track.truth) for tracks in timelines for track in tracks
    }
    assert len(orders) > 1


@pytest.mark.slow
@given(st.lists(st.integers(1000, 8000), min_size=1, max_size=8), st.integers(0, 1000))
@settings(max_examples=examples(40))
def test_every_utterance_comes_before_any_comes_again(lengths: list[int], seed: int) -> None:
    corpus = corpus_of(lengths)
    (track, _) = build_timeline(scenario_of(30.0), corpus, seed)
    ids = [utterance.utterance_id for utterance in track.truth]
    assert len(ids) > len(corpus)
    for begin in range(0, len(ids) - len(corpus) + 1, len(corpus)):
        whole_round = ids[begin : begin + len(corpus)]
        room_s = 30.0 - track.truth[begin + len(corpus) - 1].t1
        if room_s > max(lengths) / SAMPLE_RATE_HZ + 0.5:  # else the longest ones didn't fit
            assert sorted(whole_round) == sorted(u.utterance_id for u in corpus)


def test_noise_has_its_level_and_loud_speech_is_clipped() -> None:
    corpus = corpus_of([8000], loudness=32_767)
    (track, _) = build_timeline(scenario_of(20.0, noise_dbfs=-40.0), corpus, seed=1)
    silence = track.audio[: round(0.5 * SAMPLE_RATE_HZ)].astype(float)
    level_db = 20 * np.log10(np.sqrt(np.mean(silence**2)) / FULL_SCALE)
    assert level_db == pytest.approx(-40.0, abs=0.5)
    first = track.truth[0]
    begin, end = round(first.t0 * SAMPLE_RATE_HZ), round(first.t1 * SAMPLE_RATE_HZ)
    assert track.audio[begin:end].min() > 30_000  # nothing wrapped around
    assert track.audio[begin:end].max() == 32_767


def test_a_scenario_too_short_for_any_utterance_says_how_long_it_must_be() -> None:
    with pytest.raises(UsageError, match=r"at least 1\.5 s"):
        build_timeline(scenario_of(1.2), corpus_of([16_000, 32_000]), seed=1)

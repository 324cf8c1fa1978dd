"""Who speaks when: common sentences at one moment, silence in the share asked for, room for all."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.errors import UsageError
from harness.specs.scenario import Scenario, SourceScript, find_scenario
from harness.timeline.beep import BEEP_S, GAP_S, locate
from harness.timeline.corpus import CorpusUtterance
from harness.timeline.placement import AROUND_SHARED_S, lay_out, require_room
from harness.timeline.timeline import build_timeline
from tests.profiles import examples

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


def corpus_of(*lengths_s: float) -> list[CorpusUtterance]:
    def one(number: int, length_s: float) -> CorpusUtterance:
        pcm = np.full(round(length_s * SAMPLE_RATE_HZ), 1000, np.int16)
        return CorpusUtterance(f"u{number}", "a", len(pcm) / SAMPLE_RATE_HZ, None, pcm.copy)

    return [one(number, length_s) for number, length_s in enumerate(lengths_s)]


def scenario_of(duration_s: float, **more: object) -> Scenario:
    sources = (
        SourceScript(name=MIC, gap_s=(0.2, 0.8)),
        SourceScript(name=SYSTEM, gap_s=(0.2, 0.8), start_s=0.37),
    )
    return msgspec.convert(
        {"title": "t", "name": "t", "duration_s": duration_s, "sources": sources, **more}, Scenario
    )


@given(st.lists(st.floats(0.5, 4.0), min_size=2, max_size=8), st.integers(0, 99))
@settings(max_examples=examples(40))
def test_common_sentences_are_heard_at_one_moment_and_by_themselves(
    lengths_s: list[float], seed: int
) -> None:
    scenario = scenario_of(120.0, shared_utterance_every_s=8.0)
    placed = lay_out(scenario, corpus_of(*lengths_s), seed)
    common = {
        source: {
            each.shared: each.at_s + start_s for each in placed[source] if each.shared is not None
        }
        for source, start_s in ((MIC, 0.0), (SYSTEM, 0.37))
    }
    assert common[MIC].keys() == common[SYSTEM].keys()
    assert len(common[MIC]) >= 8
    for number, at_s in common[MIC].items():
        assert common[SYSTEM][number] == pytest.approx(at_s)
    for source in (MIC, SYSTEM):
        for before, after in pairwise(placed[source]):
            alone = before.shared is not None or after.shared is not None
            assert after.at_s - before.end_s >= (AROUND_SHARED_S if alone else 0.2) - 1e-9


def test_the_same_utterance_stands_for_a_common_one_on_every_source() -> None:
    tracks = build_timeline(
        scenario_of(60.0, shared_utterance_every_s=6.0), corpus_of(1.0, 2.0, 3.0), 3
    )
    by_number = [{u.shared: u.utterance_id for u in track.truth if u.shared is not None}
                 for track in tracks]  # fmt: skip
    assert by_number[0] == by_number[1]


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_speech_fills_the_share_that_was_asked_for(share: float) -> None:
    sources = (SourceScript(name=MIC, gap_s=(0.3, 1.0), speech_share=share),)
    scenario = msgspec.structs.replace(scenario_of(1200.0), sources=sources)
    utterances = corpus_of(1.0, 2.5, 4.0)
    require_room(scenario, utterances)
    spoken_s = sum(each.utterance.duration_s for each in lay_out(scenario, utterances, 1)[MIC])
    assert spoken_s / 1200 == pytest.approx(share, abs=0.01)


def test_an_impossible_share_is_told_before_anything_is_read() -> None:
    sources = (SourceScript(name=MIC, gap_s=(2.0, 3.0), speech_share=0.9),)
    scenario = msgspec.structs.replace(scenario_of(60.0), sources=sources)
    with pytest.raises(UsageError, match=r"speech_share 0.9 .* at most 0.50 with this corpus"):
        require_room(scenario, corpus_of(2.0))


def test_scenario_c_is_four_fifths_silence() -> None:
    scenario = find_scenario("C")
    placed = lay_out(scenario, corpus_of(1.5, 2.5, 5.0), 1)
    for script in scenario.sources:
        spoken_s = sum(each.utterance.duration_s for each in placed[script.name])
        assert spoken_s / scenario.duration_s == pytest.approx(0.2, abs=0.02)


def test_a_beep_goes_before_each_sentence_and_is_found_to_the_sample() -> None:
    scenario = scenario_of(40.0, markers=True)
    for track in build_timeline(scenario, corpus_of(1.0, 2.0), 1):
        assert len(track.truth) > 8
        for utterance in track.truth:
            assert utterance.beep_sample is not None
            assert locate(track.audio, utterance.beep_sample + 100) == utterance.beep_sample
            begins_s = utterance.beep_sample / SAMPLE_RATE_HZ + BEEP_S + GAP_S
            assert utterance.t0 == pytest.approx(begins_s, abs=2 / SAMPLE_RATE_HZ)


def test_a_fast_clock_takes_more_samples_of_the_same_sound() -> None:
    """At 1000 ppm, a beep after a minute of true time is 60 ms further on in the audio."""
    plain, fast = (
        build_timeline(
            msgspec.structs.replace(
                scenario_of(60.0, markers=True),
                sources=(SourceScript(name=MIC, gap_s=(0.2, 0.8), skew_ppm=skew_ppm),),
            ),
            corpus_of(1.0, 2.0), 1,
        )[0]
        for skew_ppm in (0.0, 1000.0)
    )  # fmt: skip
    assert len(fast.audio) == round(len(plain.audio) * 1.001)
    assert fast.rate_hz == pytest.approx(16_016)
    for one, other in zip(plain.truth, fast.truth, strict=True):
        assert one.beep_sample is not None
        assert other.beep_sample is not None
        assert other.t0 == pytest.approx(one.t0, abs=1e-4)
        found = locate(fast.audio, one.beep_sample)
        assert found is not None
        assert abs(found - one.beep_sample * 1.001) < 2


def test_an_offset_moves_what_a_source_hears_and_not_when_it_begins() -> None:
    plain, late = (
        build_timeline(
            msgspec.structs.replace(
                scenario_of(30.0),
                sources=(SourceScript(name=MIC, gap_s=(0.2, 0.8), offset_s=offset_s),),
            ),
            corpus_of(1.0, 2.0), 1,
        )[0]
        for offset_s in (0.0, 0.25)
    )  # fmt: skip
    assert len(plain.audio) == len(late.audio)
    for one, other in zip(plain.truth, late.truth, strict=True):
        assert other.t0 - one.t0 == pytest.approx(0.25)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ
from providers.streaming.energy import FLOOR_S, FRAME, EnergyDetector, levels_db
from tests.profiles import examples
from tests.providers.signals import Piece, noise, pieces, push_sizes, render, samples_of, tone

SECOND = SAMPLE_RATE_HZ


@given(st.floats(300, 3900), st.floats(-80, 0))
def test_a_tone_in_the_band_has_its_own_level(frequency_hz: float, level_db: float) -> None:
    levels = levels_db(tone(20 * FRAME, frequency_hz, level_db))
    assert len(levels) == 20
    assert np.allclose(levels, level_db, atol=0.5)


@given(st.one_of(st.floats(10, 100), st.floats(4200, 7900)))
def test_a_tone_outside_the_band_hardly_counts(frequency_hz: float) -> None:
    assert levels_db(tone(20 * FRAME, frequency_hz, -20)).max() < -45


def test_levels_at_the_edges() -> None:
    assert levels_db(np.zeros(3 * FRAME - 1, np.float32)).round(3).tolist() == [-100.0, -100.0]
    assert levels_db(np.zeros(0, np.float32)).tolist() == []
    assert levels_db(tone(FRAME, 1000, -60))[0] == pytest.approx(-60, abs=0.5)


@given(pieces, push_sizes)
@settings(max_examples=examples(50))
def test_answers_do_not_depend_on_how_frames_arrive(parts: list[Piece], sizes: list[int]) -> None:
    levels = levels_db(render(parts))
    detector, answers, at, turn = EnergyDetector(), [], 0, 0
    while at < len(levels):
        size = sizes[turn % len(sizes)]
        answers += detector(levels[at : at + size])
        at, turn = at + size, turn + 1
    assert answers == EnergyDetector()(levels)


@given(st.floats(-90, -30), st.floats(15, 30), st.integers(0, 1000))
@settings(max_examples=examples(50))
def test_what_stands_out_is_speech(floor_db: float, above_db: float, seed: int) -> None:
    """A sound far enough above the noise, unless it is fainter than any speech."""
    loud_db = floor_db + above_db
    audio = np.concatenate([noise(SECOND, floor_db, seed), noise(SECOND, loud_db, seed + 1)])
    answers = EnergyDetector()(levels_db(audio))
    assert not any(answers[:50])
    if loud_db > -52:  # the band holds half of white noise
        assert all(answers[50:])
    elif loud_db < -60:
        assert not any(answers)


@given(st.floats(-95, -10), st.floats(-95, -10), st.integers(0, 1000))
@settings(max_examples=examples(50))
def test_noise_that_stays_becomes_silence(before_db: float, after_db: float, seed: int) -> None:
    """A fan that is switched on is taken for speech as long as a gap might still come."""
    fan = noise(samples_of(FLOOR_S + 2), after_db, seed)
    audio = np.concatenate([noise(SECOND, before_db, seed + 1), fan])
    assert not any(EnergyDetector()(levels_db(audio))[round((1 + FLOOR_S) * 50) :])


def test_mains_hum_hides_no_speech() -> None:
    """Hum 20 dB above a voice, where a meter of all frequencies would see nothing else."""
    hum = tone(4 * SECOND, 50, -20)
    voice = np.concatenate([np.zeros(2 * SECOND, np.float32), tone(2 * SECOND, 500, -40)])
    answers = EnergyDetector()(levels_db(hum + voice + noise(4 * SECOND, -75)))
    assert not any(answers[:99])
    assert all(answers[101:])


def test_the_end_of_a_word_belongs_to_it() -> None:
    """What is too faint to begin a word goes on with one, until it is as faint as the noise."""
    noise_db, faint_db, loud_db = [-40.0] * 50, [-34.0] * 10, [-20.0] * 10

    def judged(*parts: list[float]) -> list[bool]:
        return EnergyDetector()(np.array([level for part in parts for level in part], np.float32))

    assert not any(judged(noise_db, faint_db))
    assert judged(noise_db, loud_db, faint_db, noise_db)[50:] == [True] * 20 + [False] * 50

"""What a filter lost and let through, on frames that can be counted by hand."""

import pytest

from harness.contract import AudioSource
from harness.journal.events import Event, Skipped, SourceEnded, SpeechScored, VadUsed
from harness.metrics import METRICS, Measurement
from harness.metrics.vad import vad_roc
from tests.metrics.logs import MIC, log_of, samples, spoken


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events))


def played(audio_s: float, source: AudioSource = MIC) -> list[Event]:
    return [
        VadUsed(source=source, cpu_s=0.02 * audio_s, audio_s=audio_s),
        SourceEnded(
            source=source, samples=samples(audio_s), at_s=audio_s, late_p99_s=0, late_max_s=0
        ),
    ]


def skipped(begin_s: float, end_s: float) -> Skipped:
    return Skipped(
        source=MIC, first_sample=samples(begin_s), samples=samples(end_s - begin_s), at_s=end_s
    )


# Two words of half a second from 2 s on, in ten seconds.
TWO_WORDS = [spoken("open it", 2.0), *played(10.0)]


def test_a_perfect_filter_loses_nothing_and_lets_nothing_through() -> None:
    events = [*TWO_WORDS, skipped(0.0, 2.0), skipped(3.0, 10.0)]
    assert of("vad_false_rejection", *events).value == 0
    assert of("vad_false_acceptance", *events).value == 0
    assert of("vad_silence_ratio", *events).value == pytest.approx(0.9)
    lost = of("vad_words_lost", *events)
    assert (lost.value, lost.count) == (0, 2)
    assert lost.bounds is not None
    assert lost.bounds[1] > 0.7  # two words prove little


def test_frames_and_words_are_counted_apart() -> None:
    """A quarter of a second of the first word is missing: exactly half of it, so it isn't lost."""
    events = [*TWO_WORDS, skipped(0.0, 2.25), skipped(4.0, 10.0)]
    assert of("vad_false_rejection", *events).value == pytest.approx(0.25)
    assert of("vad_words_lost", *events).value == 0
    assert of("vad_false_acceptance", *events).value == pytest.approx(1 / 9)
    more = [*TWO_WORDS, skipped(0.0, 2.27)]
    assert of("vad_words_lost", *more).value == 0.5


def test_what_the_detector_costs_is_per_second_of_audio() -> None:
    assert of("vad_cpu", *TWO_WORDS).value == pytest.approx(0.02)
    assert of("vad_frames_skipped", *TWO_WORDS, skipped(0.0, 1.024)).value == 32


def test_without_a_filter_there_are_no_figures() -> None:
    unfiltered = [spoken("open it", 2.0), played(10.0)[1]]
    for name in METRICS:
        if name.startswith("vad_"):
            assert of(name, *unfiltered).absent, name
    assert vad_roc(log_of(*unfiltered)) == []


def test_the_characteristic_has_the_chosen_point_and_falls_as_it_must() -> None:
    """A higher threshold never rejects less, nor accepts more."""
    percent = tuple([3] * 62 + [70] * 31 + [20] * 219)
    scored = SpeechScored(source=MIC, first_sample=0, percent=percent)
    points = vad_roc(log_of(*TWO_WORDS, scored))
    assert [point.opens_at for point in points if point.is_chosen] == [0.4]
    rejection = [point.false_rejection for point in points]
    acceptance = [point.false_acceptance for point in points]
    assert rejection == sorted(rejection)
    assert acceptance == sorted(acceptance, reverse=True)
    assert rejection[0] == 0
    assert rejection[-1] == 1

"""Drift and offset, on words of which all times are known."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import AudioSource
from harness.journal.events import Event, Utterance
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import MIC, SYSTEM, log_of, said, spoken
from tests.profiles import examples

STARTS_S = {MIC: 0.0, SYSTEM: 0.5}


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events, starts_s=STARTS_S))


def heard(number: int, at_s: float, source: AudioSource, error_s: float) -> list[Event]:
    """A sentence of one word, half a second long, at a moment of the trial's clock."""
    begin_s = at_s - STARTS_S[source]
    utterance: Utterance = msgspec.structs.replace(
        spoken(f"w{number}", begin_s, source), shared=number
    )
    t0 = begin_s + error_s
    final = said(at_s + 2, f"w{number}", number, final=True, source=source, t0=t0, t1=t0 + 0.5)
    return [utterance, final]


def both(errors: list[tuple[float, float]], every_s: float = 10.0) -> list[Event]:
    return [
        event
        for number, pair in enumerate(errors)
        for source, error_s in zip((MIC, SYSTEM), pair, strict=True)
        for event in heard(number, 1 + every_s * number, source, error_s)
    ]


def test_drift_is_how_far_two_sources_are_apart_whoever_is_ahead() -> None:
    events = both([(0.0, 0.02), (0.03, 0.0), (0.5, 0.5)])
    assert of("timestamp_drift", *events).samples == pytest.approx((0.02, 0.03, 0.0))
    assert of("timestamp_drift_max", *events).value == pytest.approx(0.03)


@given(st.floats(-200, 200), st.floats(-0.05, 0.05), st.integers(30, 60))
@settings(max_examples=examples(50))
def test_a_skew_is_reported_as_what_it_is(skew_ppm: float, offset_s: float, count: int) -> None:
    events = both([(0.0, offset_s + skew_ppm * 1e-6 * 10 * at) for at in range(count)])
    drift = of("drift_slope", *events)
    assert drift.value == pytest.approx(abs(skew_ppm), abs=1e-3)
    assert drift.bounds == pytest.approx((abs(skew_ppm), abs(skew_ppm)), abs=1e-3)
    assert drift.needed is None


def test_few_events_or_a_short_while_prove_no_slope() -> None:
    assert of("drift_slope", *both([(0.0, 0.0)] * 5, every_s=100.0)).needed == 10
    assert of("drift_slope", *both([(0.0, 0.0)] * 30, every_s=2.0)).needed is not None
    assert of("drift_slope", *both([(0.0, 0.0)])).absent


def test_words_that_only_one_source_has_right_do_not_count() -> None:
    events = both([(0.0, 0.01)] * 3)
    wrong = [event for event in events if event != events[3]]
    assert len(of("timestamp_drift", *wrong).samples or ()) == 2


def test_without_common_words_there_is_no_drift() -> None:
    events = [spoken("a", 1.0), said(2.0, "a", final=True, t0=1.0, t1=1.5)]
    assert of("timestamp_drift", *events).absent
    assert of("drift_slope", *events).absent


def test_offset_is_the_median_error_of_the_words_middles() -> None:
    assert of("timestamp_offset", *both([(0.25, 0.25)] * 9)).value == pytest.approx(0.25)
    assert of("timestamp_offset", *both([(-0.25, -0.25)] * 9)).value == pytest.approx(0.25)
    mixed = both([(-0.4, 0.4)] * 9)
    assert of("timestamp_offset", *mixed).value == pytest.approx(0, abs=0.41)

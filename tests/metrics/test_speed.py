import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import AudioAccount
from harness.journal.events import ChunkTaken, Event, Queued, SessionEnded, SourceEnded
from harness.metrics import METRICS, Measurement, TrialLog, measure
from tests.metrics.logs import (
    MIC,
    SYSTEM,
    chunk,
    chunks,
    dropped,
    loaded,
    log_of,
    said,
    sampled,
    samples,
    spoken,
)


def of(name: str, log: TrialLog) -> Measurement:
    return METRICS[name](log)


def test_rtf_is_inference_time_per_audio_time_of_each_chunk() -> None:
    log = log_of(*chunk(0, 2.0, (0.2, 0.1), length_s=2.0), *chunk(1, 4.0, (0.5,), length_s=2.0))
    assert of("rtf", log).samples == pytest.approx((0.15, 0.25))


def test_rtf_leaves_out_silence_waiting_and_the_short_last_chunk() -> None:
    late = ChunkTaken(source=MIC, chunk=2, at_s=30.0, depth=0)
    waited = [late if isinstance(event, ChunkTaken) else event for event in chunk(2, 3.0, ())]
    log = log_of(
        *chunk(0, 1.0), *chunk(1, 2.0, ()), *waited, *chunk(3, 40.0, (0.2,)),
        *chunk(4, 40.3, (0.9,), length_s=0.3),
    )  # fmt: skip
    assert of("rtf", log).samples == pytest.approx((0.1, 0.2))


def test_each_source_has_its_own_chunks() -> None:
    mic = [*chunk(0, 1.0, (0.1,)), *chunk(1, 2.0, (0.2,))]
    system = [*chunk(0, 1.5, (0.3,), source=SYSTEM, start_s=0.5),
              *chunk(1, 2.0, (0.9,), source=SYSTEM, start_s=0.5, length_s=0.5)]  # fmt: skip
    events = sorted([*mic, *system], key=lambda event: getattr(event, "at_s", 0.0))
    log = log_of(*events, starts_s={MIC: 0.0, SYSTEM: 0.5})
    assert sorted(of("rtf", log).samples or ()) == pytest.approx([0.1, 0.2, 0.3])
    assert [record.is_tail for record in log.chunks] == [False, False, False, True]


def test_speed_counts_what_was_taken() -> None:
    """A provider isn't faster for what the queue had to drop in front of it."""
    log = log_of(*chunks([0.2, 0.3]), *dropped(2, 3.0), *dropped(3, 4.0), *chunk(4, 5.0, (0.5,)))
    assert of("speed", log).value == pytest.approx(3.0)


@given(st.lists(st.floats(0.001, 3), min_size=1, max_size=50))
def test_speed_is_one_over_the_mean_rtf(costs_s: list[float]) -> None:
    log = log_of(*chunks(costs_s))
    mean_rtf = sum(of("rtf", log).samples or ()) / len(costs_s)
    assert of("speed", log).value == pytest.approx(1 / mean_rtf)


def queue_log(changes: list[tuple[float, int]]) -> TrialLog:
    """Depths at times, put down by whichever event changes it that way."""
    events: list[Event] = []
    before, number = 0, 0
    for at_s, depth in changes:
        if depth > before:
            events.append(
                Queued(source=MIC, chunk=number, first_sample=0, samples=1600, due_s=at_s,
                       at_s=at_s, depth=depth)
            )  # fmt: skip
            number += 1
        else:
            events.append(ChunkTaken(source=MIC, chunk=0, at_s=at_s, depth=depth))
        before = depth
    return log_of(*events)


def test_queue_depth_is_the_integral_over_time() -> None:
    changes = [(0.0, 1), (1.0, 0), (2.0, 1), (3.0, 2), (6.0, 1), (7.0, 0), (10.0, 1), (10.0, 0)]
    expected = (1 * 1 + 1 * 1 + 2 * 3 + 1 * 1) / 10
    assert of("queue_depth", queue_log(changes)).value == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.booleans()), min_size=3, max_size=40))
def test_queue_depth_is_what_looking_very_often_finds(steps: list[tuple[float, bool]]) -> None:
    at_s, depth, changes = 0.0, 0, []
    for gap_s, up in steps:
        at_s += gap_s
        depth = depth + 1 if up or depth == 0 else depth - 1
        changes.append((at_s, depth))
    times = np.linspace(changes[0][0], changes[-1][0], 20_001)
    starts = np.array([at_s for at_s, _ in changes])
    depths = np.array([depth for _, depth in changes])
    looked = depths[np.searchsorted(starts, times, side="right") - 1]
    found = of("queue_depth", queue_log(changes)).value
    assert found == pytest.approx(float(looked.mean()), abs=0.02 * max(1, depths.max()))


def test_dropped_chunks_are_counted() -> None:
    log = log_of(*chunks([0.1, 0.1]), *dropped(2, 3.0), *dropped(3, 4.0))
    assert of("dropped_chunks", log) == Measurement(unit="chunks", value=2.0, count=4)


def test_first_chunk_latency_is_from_the_first_word_to_the_first_text() -> None:
    """Six seconds of silence before anyone speaks are nobody's latency."""
    texts = (said(8.2, ""), said(8.4, "  "), said(8.7, "open"), said(9.1, "open the"))
    words = (spoken("open the", 6.5), spoken("open the", 7.0, SYSTEM))
    log = log_of(*words, *texts, starts_s={MIC: 0.6, SYSTEM: 0.9})
    assert of("first_chunk_latency", log).value == pytest.approx(8.7 - 7.1)
    assert of("first_chunk_latency", log_of(spoken("open"), said(1.0, " "))).value == math.inf


def test_a_chunk_that_ends_an_utterance_early_counts() -> None:
    """A filter cuts chunks at silence, and those carry the finals."""
    cut = chunk(1, 1.4, (0.9,), length_s=0.4)
    log = log_of(*chunk(0, 1.0, (0.1,)), *cut, *chunk(2, 2.4), *chunk(3, 2.7, (0.9,), length_s=0.3))
    assert of("rtf", log).samples == pytest.approx((0.1, 0.9 / 0.4, 0.1))


def test_startup_is_loading_and_the_first_answer() -> None:
    assert of("startup_time", log_of(loaded(load_s=1.5, probe_s=0.25))).value == 1.75
    assert of("startup_time", log_of(loaded(probe_s=None))).absent
    assert of("startup_time", log_of()).absent


def test_stop_time_is_what_stopping_took() -> None:
    assert of("stop_time", log_of(SessionEnded(at_s=60.0, stop_s=0.3))).value == 0.3
    assert of("stop_time", log_of()).absent


def test_cpu_is_counted_from_the_first_sample_on() -> None:
    log = log_of(*chunks([0.1] * 10), sampled(0.0, cpu_s=5.0), sampled(10.0, cpu_s=7.0))
    assert of("cpu_per_audio_second", log).value == pytest.approx(0.2)
    assert of("cpu_per_audio_second", log_of(*chunks([0.1]), sampled(0.0))).absent


def test_lateness_is_from_capture_to_the_queue() -> None:
    ends = [
        SourceEnded(source=source, samples=samples(1), at_s=1.0, late_p99_s=late_s, late_max_s=1.0)
        for source, late_s in ((MIC, 0.004), (SYSTEM, 0.002))
    ]
    assert of("feeder_lateness", log_of(*ends)).value == 0.004


def test_of_an_empty_trial_every_figure_is_absent_infinite_or_nothing() -> None:
    """And says why; none is made up, and none fails."""
    for name, measurement in measure(log_of()).items():
        if measurement.absent is None:
            assert measurement.value in (0.0, math.inf), name
        else:
            assert measurement.absent
            assert (measurement.value, measurement.samples) == (None, None)


def test_measuring_does_not_change_a_log() -> None:
    log = log_of(*chunks([0.1, 0.2]), sampled(1.0, {MIC: AudioAccount()}))
    assert measure(log) == measure(log)

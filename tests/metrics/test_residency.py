import math

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.journal.events import Event, Inferred
from harness.metrics import METRICS
from tests.metrics.logs import MIC, chunk, chunks, loaded, log_of

CHUNKS = 60


def costs(seed: int = 0) -> NDArray[np.floating]:
    """Of a resident model: a fixed part and one that grows with the chunk, and some noise."""
    return 0.13 * (1 + 0.08 * np.random.default_rng(seed).standard_normal(CHUNKS))


def slope_of(values: NDArray[np.floating]) -> float:
    value = METRICS["residency_slope"](log_of(*chunks(values.tolist()))).value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("case", "slope", "slack"),
    [
        ("resident", 0.0, 0.001),
        ("reload every chunk", 0.0, 0.001),
        ("reload every tenth", 0.0, 0.001),
        ("lazy first load", 0.0, 0.001),
        ("4 ms more a chunk", 0.004, 0.001),
        ("50 ms more a chunk", 0.05, 0.001),
    ],
)
def test_the_slope_is_that_of_the_known_cases(case: str, slope: float, slack: float) -> None:
    """Half of them are defects that it can't see: all but the last keep under 0.1 s a chunk."""
    values, numbers = costs(), np.arange(CHUNKS)
    values = (
        values
        + {
            "resident": 0.0 * numbers,
            "reload every chunk": np.full(CHUNKS, 0.6),
            "reload every tenth": np.where(numbers % 10 == 9, 0.6, 0.0),
            "lazy first load": np.where(numbers == 0, 2.0, 0.0),
            "4 ms more a chunk": 0.004 * numbers,
            "50 ms more a chunk": 0.05 * numbers,
        }[case]
    )
    assert slope_of(values) == pytest.approx(slope, abs=slack)


def test_the_first_chunks_are_left_out() -> None:
    values = np.concatenate([[9.0, 5.0, 3.0], 0.1 + 0.002 * np.arange(57)])
    assert slope_of(values) == pytest.approx(0.002)


def test_chunks_of_other_lengths_and_silence_are_left_out() -> None:
    events: list[Event] = []
    for number in range(70):
        costs_s = (0.1 + 0.001 * number,) if number % 7 else ()
        events += chunk(number, number + 1.0, costs_s)
    short = chunk(70, 70.2, (5.0,), length_s=0.2)
    measurement = METRICS["residency_slope"](log_of(*events, *short))
    assert measurement.count == 57
    assert measurement.value == pytest.approx(0.001 * 7 / 6, rel=0.02)


def test_too_few_chunks_are_said_to_be_too_few() -> None:
    measurement = METRICS["residency_slope"](log_of(*chunks([0.1] * 59)))
    assert (measurement.count, measurement.needed) == (56, 60)
    assert METRICS["residency_slope"](log_of(*chunks([0.1] * 60))).needed is None
    assert METRICS["residency_slope"](log_of(*chunks([0.1] * 4))).absent


def first_vs_steady(first_s: float, window_s: float, steady: list[tuple[float, float]]) -> float:
    """The ratio, given the first inference and the (window, cost) of those in the trial."""
    probe = loaded(probe_inference_s=(first_s, 0.1), probe_window_s=(window_s, 1.0))
    inferences = [
        Inferred(source=MIC, begin_s=float(at), end_s=at + cost_s, window_s=length_s)
        for at, (length_s, cost_s) in enumerate(steady)
    ]
    value = METRICS["first_vs_steady"](log_of(probe, *inferences)).value
    assert value is not None
    return value


def test_a_lazy_load_shows_in_the_first_inference() -> None:
    steady = [(1.0, cost_s) for cost_s in costs()]
    assert first_vs_steady(0.13, 1.0, steady) == pytest.approx(1.0, abs=0.1)
    assert first_vs_steady(2.13, 1.0, steady) == pytest.approx(16.4, rel=0.1)


def test_the_first_is_compared_with_what_its_own_length_would_cost() -> None:
    """Read off the line through inferences of many lengths, one of which had a bad moment."""
    steady = [(length_s, 0.05 + 0.1 * length_s) for length_s in np.linspace(1, 6, 60)]
    steady[30] = (3.0, 9.0)
    assert first_vs_steady(0.35, 3.0, steady) == pytest.approx(1.0, rel=0.02)
    assert first_vs_steady(0.85, 8.0, steady) == pytest.approx(1.0, rel=0.02)


def test_an_engine_that_takes_no_time_at_all_has_no_ratio_but_infinity() -> None:
    assert first_vs_steady(0.1, 1.0, [(1.0, 0.0)] * 80) == math.inf


def test_without_the_first_or_later_ones_it_is_absent() -> None:
    steady = [Inferred(source=MIC, begin_s=at, end_s=at + 0.1, window_s=1.0) for at in range(80)]
    metric = METRICS["first_vs_steady"]
    assert metric(log_of(*steady)).absent == "the first inference was not seen"
    assert metric(log_of(loaded(probe_inference_s=(), probe_window_s=()), *steady)).absent
    assert metric(log_of(loaded(), *steady[:3])).absent
    assert metric(log_of(loaded(), *steady[:40])).needed == 60
    assert metric(log_of(loaded(), *steady)).needed is None

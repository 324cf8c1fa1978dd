"""The signs of a model that doesn't stay, each on chunks whose cost is known."""

from collections.abc import Callable
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.events import Event, ResidencyChunk, ResidencyEnded, ResidencyPart
from harness.metrics import METRICS, Measurement
from harness.metrics.residency_probe import strongest_beat
from tests.metrics.logs import loaded, log_of

LENGTHS_S = (0.5, 4.0, 1.0, 2.0)
ROUNDS, OF_A_ROUND = 3, 64
MODEL = 100 << 20


def chunk(
    index: int,
    took_s: float,
    *,
    part: ResidencyPart = ResidencyPart.STEADY,
    repeat: int = 0,
    audio_s: float = 1.0,
    text: str = "open",
    error: str = "",
    read_bytes: int | None = 0,
    spawns: int = 0,
    files: int = 0,
    rss_bytes: int = 1 << 30,
) -> ResidencyChunk:
    return ResidencyChunk(
        part=part, repeat=repeat, index=index, audio_s=audio_s, took_s=took_s, inference_s=took_s,
        text=text, error=error, read_bytes=read_bytes, spawns=spawns, files_created=files,
        rss_bytes=rss_bytes,
    )  # fmt: skip


def probe(cost_s: Callable[[int, float], float], noise: float = 0.05) -> list[Event]:
    """Three rounds of chunks that cost what the function says of their number and length."""
    generator = np.random.default_rng(1)
    lengths = cycle(LENGTHS_S)
    chunks = [
        chunk(
            number % OF_A_ROUND,
            cost_s(number, length_s) * (1 + noise * float(generator.standard_normal())),
            repeat=number // OF_A_ROUND,
            audio_s=length_s,
        )
        for number, length_s in zip(range(ROUNDS * OF_A_ROUND), lengths, strict=False)
    ]
    return [loaded(load_s=0.6), *chunks, ResidencyEnded(model_bytes=MODEL)]


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events))


def resident(number: int, length_s: float) -> float:
    return 0.03 + 0.1 * length_s


def high(measurement: Measurement) -> float:
    assert measurement.bounds is not None
    return measurement.bounds[1]


def low(measurement: Measurement) -> float:
    assert measurement.bounds is not None
    return measurement.bounds[0]


def test_a_resident_model_shows_no_sign() -> None:
    events = probe(resident)
    assert of("residency_fixed_cost", *events).value == pytest.approx(0.03, abs=0.01)
    assert high(of("residency_intercept", *events)) < 0.2
    assert high(of("residency_growth", *events)) < 0.1
    assert of("residency_periodic", *events).value == 0
    for name in ("residency_spawns", "residency_files", "residency_reads"):
        assert of(name, *events).value == 0
    assert of("residency_memory_swing", *events).value == 0


def test_a_load_in_each_chunk_is_a_fixed_cost_of_one_load() -> None:
    reload = of("residency_intercept", *probe(lambda n, s: resident(n, s) + 0.6))
    assert reload.value == pytest.approx(1.05, abs=0.05)
    assert low(reload) > 0.5


def test_a_load_in_every_tenth_chunk_is_a_beat() -> None:
    every_tenth = probe(lambda n, s: resident(n, s) + 0.6 * (n % 10 == 7))
    assert of("residency_periodic", *every_tenth).value == 1.0
    assert high(of("residency_intercept", *every_tenth)) < 0.2  # which only this sign sees


def test_single_slow_chunks_are_no_beat() -> None:
    busy = probe(lambda n, s: resident(n, s) + 0.9 * (n in (17, 18, 44, 101, 150)))
    value = of("residency_periodic", *busy).value
    assert value is not None
    assert value < 0.8


def test_growth_goes_on_and_a_step_does_not() -> None:
    assert low(of("residency_growth", *probe(lambda n, s: resident(n, s) + 0.004 * n))) > 0.3
    for at in (30, 64, 90, 96, 130):
        step = probe(lambda n, s, at=at: resident(n, s) * (1 + (n > at)))  # type: ignore[misc]
        assert high(of("residency_growth", *step)) < 0.1


@given(st.integers(2, 40), st.integers(0, 39), st.integers(120, 200))
def test_any_beat_is_found_whatever_its_period(period: int, start: int, count: int) -> None:
    assert strongest_beat(np.arange(count) % period == start % period) == 1.0


def test_files_processes_and_bytes_are_added_up() -> None:
    chunks = [chunk(at, 0.1, spawns=at % 2, files=1, read_bytes=MODEL // 5,
                    rss_bytes=(1 << 30) + at * (1 << 20)) for at in range(63)]  # fmt: skip
    events = [*chunks, ResidencyEnded(model_bytes=MODEL)]
    assert of("residency_spawns", *events).value == 30
    assert of("residency_files", *events).value == 60
    assert of("residency_reads", *events).value == pytest.approx(0.2)
    tenth = [chunk(at, 0.1, read_bytes=MODEL * (at == 40)) for at in range(63)]
    assert of("residency_reads", *tenth, events[-1]).value == 1  # one chunk is enough
    assert of("residency_memory_swing", *events).value == pytest.approx(0.59)


def test_what_a_system_does_not_tell_is_absent_and_never_nothing() -> None:
    chunks = [chunk(at, 0.1, read_bytes=None) for at in range(9)]
    assert of("residency_reads", *chunks, ResidencyEnded(model_bytes=MODEL)).absent
    assert of("residency_reads", *chunks, ResidencyEnded(model_bytes=None)).absent
    assert of("residency_memory_swing", *chunks, ResidencyEnded(model_bytes=None)).absent
    assert of("residency_intercept", loaded(load_s=0.01), *chunks).absent


def test_a_vanished_model_breaks_by_an_error_or_by_other_words() -> None:
    copy = [chunk(at, 0.1, part=ResidencyPart.COPY, text=f"w{at}") for at in range(3)]
    gone = [
        chunk(0, 0.1, part=ResidencyPart.VANISHED, text="w0"),
        chunk(1, 0.1, part=ResidencyPart.VANISHED, text="", error="no such file"),
        chunk(2, 0.1, part=ResidencyPart.VANISHED, text="else"),
    ]
    assert of("residency_vanish", *copy, *gone).value == 2
    reason = ResidencyEnded(model_bytes=None, vanish="the model has no file on this machine")
    assert of("residency_vanish", reason).absent == "the model has no file on this machine"


def test_answers_that_were_kept_come_sooner() -> None:
    def pairs(again_s: float, altered_s: float) -> list[Event]:
        return [
            event
            for at in range(16)
            for event in (
                chunk(at, again_s, part=ResidencyPart.AGAIN),
                chunk(at, altered_s, part=ResidencyPart.ALTERED),
            )
        ]

    assert of("cache_speedup", *pairs(0.1, 0.1)).value == pytest.approx(1.0)
    assert low(of("cache_speedup", *pairs(0.01, 0.1))) > 5
    assert of("cache_speedup", *pairs(0.0, 0.0)).absent

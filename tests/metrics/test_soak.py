"""Growth over hours, told from a few samples' noise; threads and files that come and stay."""

import msgspec
import numpy as np
import pytest

from harness.journal.events import Event, Sampled
from harness.metrics import METRICS, Measurement
from tests.metrics.logs import log_of, sampled

HOUR_S = 3600.0
MB = 10**6


def of(name: str, *events: Event) -> Measurement:
    return METRICS[name](log_of(*events))


def session(
    growth_mb_h: float, *, length_s: float = HOUR_S, own: bool = True, threads_at_end: int = 4
) -> list[Sampled]:
    generator = np.random.default_rng(2)
    samples = []
    for at in range(0, round(length_s), 10):
        rise = growth_mb_h * MB * at / HOUR_S if at > 0.05 * length_s else -50.0 * MB
        memory = round(400 * MB + rise + 0.5 * MB * generator.standard_normal())
        samples.append(
            msgspec.structs.replace(
                sampled(float(at)),
                rss_bytes=2 * memory,
                uss_bytes=memory if own and at % 50 == 0 else None,
                threads=threads_at_end if at > 0.8 * length_s else 4,
                open_files=9,
            )
        )
    return samples


def test_growth_is_by_the_hour_and_start_up_is_left_out() -> None:
    flat, leaking = of("memory_growth", *session(0.0)), of("memory_growth", *session(60.0))
    assert flat.value == pytest.approx(0, abs=0.5)
    assert flat.bounds is not None
    assert flat.bounds[1] < 5
    assert leaking.value == pytest.approx(60, abs=1)


def test_memory_that_is_shared_counts_only_where_nothing_better_is_known() -> None:
    assert of("memory_growth", *session(30.0)).value == pytest.approx(30, abs=1)
    assert of("memory_growth", *session(30.0, own=False)).value == pytest.approx(60, abs=1)


def test_a_short_session_proves_nothing() -> None:
    assert of("memory_growth", *session(0.0, length_s=600.0)).needed
    assert of("memory_growth").absent


def test_threads_that_stay_are_growth() -> None:
    assert of("thread_growth", *session(0.0)).value == 0
    assert of("thread_growth", *session(0.0, threads_at_end=7)).value == 0  # in its last fifth
    longer = session(0.0) + [msgspec.structs.replace(sampled(HOUR_S + at), threads=7, open_files=9)
                             for at in range(0, 1800, 10)]  # fmt: skip
    assert of("thread_growth", *longer).value == 3
    assert of("open_file_growth", *longer).value == 0


def test_files_that_nobody_tells_of_are_absent() -> None:
    assert of("open_file_growth", *[sampled(float(at)) for at in range(20)]).absent

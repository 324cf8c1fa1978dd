"""Inference: benchmarks one chunk of speech on the resident model, on the wall clock."""

from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 20


def test_chunk(benchmark: BenchmarkFixture, resident: Callable[[], None]) -> None:
    benchmark.pedantic(resident, rounds=ROUNDS, warmup_rounds=2)  # type: ignore[no-untyped-call]

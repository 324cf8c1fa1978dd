"""How long a person waits before anything happens. Limit: 1.5 s to collect the suites."""

import subprocess
import sys

from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 7
LIMIT_S = 1.5


def bench_collect_only(benchmark: BenchmarkFixture) -> None:
    command = [sys.executable, "-m", "pytest", "suites/", "--collect-only", "-q"]
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: subprocess.run(command, check=True, capture_output=True), rounds=ROUNDS
    )
    assert benchmark.stats is not None
    assert benchmark.stats.stats.median <= LIMIT_S


def bench_import_harness(benchmark: BenchmarkFixture) -> None:
    command = [
        sys.executable,
        "-c",
        "import harness, harness.runner.run, harness.verdicts.evaluate",
    ]
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: subprocess.run(command, check=True), rounds=ROUNDS
    )

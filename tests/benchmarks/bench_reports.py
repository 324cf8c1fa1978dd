"""From a journal to all metrics, tables and the page, each time in a process of its own.

Limits: 10 s of CPU and 700 MB for a million events; from a hundred thousand to a million, no more
than 13 times the time above what an empty run takes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.long_journals import write_long_run

SIZES = (10_000, 100_000, 1_000_000)
LIMIT_S, LIMIT_MB, MAX_GROWTH = 10.0, 700.0, 13.0
SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from reports.runs import read_run
from reports.write import write_reports
run = read_run(Path(), sys.argv[1])
write_reports(run.folder, run.results, run.thresholds_path)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.process_time(), peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)]))
"""


def cost_of(path: Path) -> tuple[float, float]:
    """CPU seconds, with Python's own start, and megabytes at most."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True
    )
    cpu_s, peak_mb = json.loads(done.stdout)
    return cpu_s, peak_mb


@pytest.mark.parametrize("trials", [1, 10])
def bench_reports(benchmark: BenchmarkFixture, tmp_path: Path, trials: int) -> None:
    runs = {size: write_long_run(tmp_path / str(size), size, trials).path for size in SIZES}
    costs: dict[int, tuple[float, float]] = {}

    def all_sizes() -> None:
        for size, path in runs.items():
            costs[size] = cost_of(path)

    benchmark.pedantic(all_sizes, rounds=1)  # type: ignore[no-untyped-call]
    for size, (cpu_s, peak_mb) in costs.items():
        print(f"\n{size:>9} events, {trials} trials: {cpu_s:.2f} s of CPU, {peak_mb:.0f} MB")
    benchmark.extra_info |= {str(size): cost for size, cost in costs.items()}
    start_s = costs[SIZES[0]][0] * 0.9  # nearly all of it is Python and pandas starting
    growth = (costs[SIZES[2]][0] - start_s) / (costs[SIZES[1]][0] - start_s)
    assert growth <= MAX_GROWTH
    assert costs[SIZES[2]][0] <= LIMIT_S
    assert costs[SIZES[2]][1] <= LIMIT_MB

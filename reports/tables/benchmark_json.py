"""Exports a run's times in pytest-benchmark's JSON format.

The format has no infinity, so events that never happened are only counted, in `extra_info`.
"""

import importlib.metadata
import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from pytest_benchmark.stats import Stats

from harness.journal.run_folder import RunInfo
from harness.verdicts.evaluate import TrialResult

LATENCY = "word_emission_latency"


def benchmark_json(info: RunInfo, results: Sequence[TrialResult]) -> bytes:
    """Encode a run's times.

    Each successful trial has two entries: the inference time of each chunk, and the latency of each
    word.

    Args:
        info: The run.
        results: Its trials.
    """
    revision = info.revision or ""
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "machine_info": {
                    "machine": info.machine.system.rsplit(" ", 1)[-1],
                    "system": info.machine.system.partition(" ")[0],
                    "processor": info.machine.chip,
                    "python_version": info.machine.python,
                    "cpu": {"brand_raw": info.machine.chip, "count": info.machine.logical_cores},
                },
                "commit_info": {"id": revision.rstrip("+"), "dirty": revision.endswith("+")},
                "benchmarks": [entry for result in results for entry in _entries(result)],
                "datetime": info.started,
                "version": importlib.metadata.version("pytest-benchmark"),
            }
        ),
        indent=1,
    )


def _entries(result: TrialResult) -> Iterator[dict[str, Any]]:
    if not result.measurements:
        return
    inference_s = [chunk.inference_s for chunk in result.log.chunks if chunk.inferences]
    latency_s = result.measurements[LATENCY].samples or ()
    for name, samples in (("inference_per_chunk", inference_s), (LATENCY, latency_s)):
        finite = [sample for sample in samples if math.isfinite(sample)]
        if finite:
            yield _entry(result, name, finite, len(samples) - len(finite))


def _entry(result: TrialResult, name: str, samples: Sequence[float], never: int) -> dict[str, Any]:
    spec = result.spec
    stats = Stats()  # type: ignore[no-untyped-call]
    for sample in samples:
        stats.update(sample)  # type: ignore[no-untyped-call]
    summary: dict[str, Any] = stats.as_dict()  # type: ignore[no-untyped-call]
    return {
        "group": name,
        "name": f"{name}[{spec.name}]",
        "fullname": f"echobench::{name}[{spec.name}]",
        "params": {"provider": spec.provider, "model": spec.model,
                   "chunk_s": spec.chunk_seconds, "scenario": spec.scenario.name},
        "param": spec.name,
        "extra_info": {"never": never, "clock": str(spec.clock)},
        "options": {"disable_gc": False, "timer": "clock", "min_rounds": 1, "max_time": 0,
                    "min_time": 0, "warmup": False},
        "stats": {**summary, "data": list(samples), "iterations": 1},
    }  # fmt: skip

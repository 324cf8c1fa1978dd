"""Residency: whether the model is loaded once, chunks cost the same throughout, and its memory."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("residency_slope", "first_vs_steady", "voxtral_memory")
def test_in_the_stream(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges(
    "residency_vanish", "residency_intercept", "residency_fixed_cost", "residency_periodic",
    "residency_growth", "residency_spawns", "residency_reads", "residency_memory_swing",
    "residency_files", "cache_speedup",
)  # fmt: skip
def test_by_probe(judged: Judged) -> None:
    judged.check()

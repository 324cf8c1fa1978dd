"""Latency: how soon text appears and how soon it is final."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("first_chunk_latency", "word_emission_p50", "finalization_delay_p50")
def test_latency(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges(
    "marker_latency_p50", "marker_latency_p95", "marker_latency_p99",
    "markers_missed", "markers_repeated", "beep_error",
)  # fmt: skip
def test_markers(judged: Judged) -> None:
    judged.check()

"""Speed: real-time factor, dropped and late chunks, start and stop."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("rtf_p95", "rtf_p95_two_sources", "speed", "voxtral_speed")
def test_rtf(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("dropped_chunks", "queue_depth", "chunk_latency_p95", "chunk_latency_p99")
def test_queue(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("startup_time", "stop_time", "interruptions")
def test_session(judged: Judged) -> None:
    judged.check()

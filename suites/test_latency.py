"""Latency: how soon text is there."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("first_chunk_latency", "word_emission_p50")
def test_latency(judged: Judged) -> None:
    judged.check()

"""Drift: timestamps compared between two sources, and with the true times."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("timestamp_drift_p95", "drift_slope")
def test_between_sources(judged: Judged) -> None:
    judged.check()


@pytest.mark.judges("timestamp_offset")
def test_against_the_truth(judged: Judged) -> None:
    judged.check()

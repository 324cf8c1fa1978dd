"""Residency: is the model loaded once, and does a chunk cost no more later than sooner?"""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("residency_slope", "first_vs_steady")
def test_residency(judged: Judged) -> None:
    judged.check()

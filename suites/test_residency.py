"""Residency: is the model loaded once, and does a chunk cost no more later than sooner?

And is the memory that it takes what it may take?
"""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("residency_slope", "first_vs_steady", "voxtral_memory")
def test_residency(judged: Judged) -> None:
    judged.check()

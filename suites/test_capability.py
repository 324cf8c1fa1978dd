"""Capability: whether the recommended model is the largest that keeps up on this machine."""

import pytest

from harness.plugin.fixtures import Judged


@pytest.mark.judges("recommended_rtf", "next_model_rtf")
def test_recommendation(judged: Judged) -> None:
    judged.check()

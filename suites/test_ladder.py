"""Degrade ladder: tries each of its rules under a varying load."""

import pytest

from harness.plugin.fixtures import TriedRule


@pytest.mark.activity("ladder")
def test_rule(rule: TriedRule) -> None:
    rule.check()

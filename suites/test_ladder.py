"""The degrade ladder: under a load that comes and goes, is the right thing done in time?"""

import pytest

from harness.plugin.fixtures import TriedRule


@pytest.mark.activity("ladder")
def test_rule(rule: TriedRule) -> None:
    rule.check()

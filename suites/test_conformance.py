"""Conformance: does the provider keep the contract? Each rule is a function of its own."""

from harness.plugin.fixtures import TriedRule


def test_rule(rule: TriedRule) -> None:
    rule.check()

"""Conformance: tries each rule of the provider contract."""

from harness.plugin.fixtures import TriedRule


def test_rule(rule: TriedRule) -> None:
    rule.check()

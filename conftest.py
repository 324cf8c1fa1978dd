"""Loads the plugins; everything else is theirs."""

pytest_plugins = ("harness.plugin", "reports.plugin")

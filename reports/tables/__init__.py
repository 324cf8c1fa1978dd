"""Builds a run's tables: data frames, CSV, Markdown and pytest-benchmark's JSON."""

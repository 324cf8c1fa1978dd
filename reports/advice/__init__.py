"""Recommends a provider, model and chunk size by a run's figures."""

"""Measures resources, the machine's state, and side effects of the provider."""

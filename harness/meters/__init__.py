"""Reads resources, the environment, and what the provider asks of the system."""

"""Describes the machine and its hardware, and recommends a provider for it."""

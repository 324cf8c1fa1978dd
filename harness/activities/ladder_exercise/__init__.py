"""Overloads a provider on purpose, and checks how the degrade ladder reacts."""

"""Compares runs: which figures differ, by how much, and with what confidence."""

"""Compares two runs: what differs, by how much, and how sure that is."""

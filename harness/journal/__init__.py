"""Defines events, the append-only journal that holds them, and the folder of a run."""

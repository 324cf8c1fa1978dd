"""Runs trials: planning, worker processes, supervision, validity, progress."""

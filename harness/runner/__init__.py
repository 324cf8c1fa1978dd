"""Runs trials: plan, worker processes, supervision, validity, progress."""

"""Judges the figures of trials by thresholds, and sums up trials and runs."""

"""Verdicts: thresholds, and how the figures of a trial are judged by them."""

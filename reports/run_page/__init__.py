"""Builds the HTML page of a run."""

"""Builds the audio that a trial plays, with its ground truth."""

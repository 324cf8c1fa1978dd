"""Frames, messages and close codes of the live protocol."""

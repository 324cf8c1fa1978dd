"""Degrade ladder: detects an overloaded session, degrades it level by level, and recovers."""

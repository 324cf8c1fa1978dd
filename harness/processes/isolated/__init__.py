"""Runs any provider in a process of its own, so that a crashing engine ends only that process."""

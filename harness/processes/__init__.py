"""Starts child processes, exchanges messages with them, and ends them."""

"""What `python -m reports` does: one file a command, each with `add` and `run`."""

"""The commands of `python -m reports`: one file per command, with `add` and `run`."""

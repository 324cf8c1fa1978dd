"""The commands of `python -m harness`; each has a `main` that takes its arguments."""

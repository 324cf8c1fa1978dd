"""Runs voxtral.c processes: model files, errors, computing schedule, output and streams."""

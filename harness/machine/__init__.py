"""The machine: its profile, its hardware, and what is recommended for it."""

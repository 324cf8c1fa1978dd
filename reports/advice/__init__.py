"""What to use on this machine, and why."""

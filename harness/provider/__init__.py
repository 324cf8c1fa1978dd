"""What stands around a provider: registry, choice, resident base, checks, timeouts."""

"""Providers for tests; installed as a third party's are, by entry points in the folder beside."""

"""Connections, retries and failures of speech recognition services."""

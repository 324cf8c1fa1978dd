"""Streams audio to a provider: source, chunking, queue, listener, watchdog."""

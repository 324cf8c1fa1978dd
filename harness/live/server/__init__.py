"""The live server: admission, sessions, limits, and what it sends."""

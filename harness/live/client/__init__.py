"""Clients of the live server: files, the microphone, and the terminal."""

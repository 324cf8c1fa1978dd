"""Overloads a provider on purpose, and checks what the degrade ladder does."""

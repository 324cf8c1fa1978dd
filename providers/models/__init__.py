"""Finds model files, and checks them before they are loaded."""

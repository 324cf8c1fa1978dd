"""Model files: where they come from, and the checks before they are loaded."""

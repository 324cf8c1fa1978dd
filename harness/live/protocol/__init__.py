"""The live protocol: audio frames, messages and close codes."""

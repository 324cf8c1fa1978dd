"""The live server: admission, limits, providers, sessions and their journals."""

"""A corpus of the user's own: reads it from a manifest, cuts long recordings, checks all of it."""

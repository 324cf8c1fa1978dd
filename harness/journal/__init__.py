"""Events, the append-only journal they are written to, and the folder of a run."""

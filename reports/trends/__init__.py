"""Finds changes of figures over many runs, and the commits between them."""

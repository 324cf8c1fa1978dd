"""Readers of corpora in the forms people have: one file per format."""

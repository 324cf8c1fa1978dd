"""Policies for captioning servers of one's own, driven by an adapter file."""

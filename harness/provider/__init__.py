"""Finds, chooses and checks providers; the base class of resident providers; timeouts."""

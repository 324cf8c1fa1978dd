"""The degrade ladder: when a session is overloaded, what is done about it, and the way back."""

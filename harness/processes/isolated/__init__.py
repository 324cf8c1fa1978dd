"""Any provider in a process of its own, so that an engine that crashes takes nobody with it."""

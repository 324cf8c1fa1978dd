"""How figures move from run to run, and which commits moved them."""

"""Gates a change by measuring it in turns with its base."""

"""What a trial can do besides playing a scenario: one file or folder per activity."""

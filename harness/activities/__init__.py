"""What a trial can do instead of playing a scenario: one file or folder per activity."""

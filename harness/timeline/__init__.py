"""What is played, and what is true about it: corpus, placement, ambience, beep."""

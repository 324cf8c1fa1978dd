"""What it takes to keep voxtral.c going: its files, errors, pace, answers, process and streams."""

"""What is asked for, as plain data: scenario, trial, options."""

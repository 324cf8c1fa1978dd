"""Plain data that specifies what to measure: scenarios, trials, options and rules."""

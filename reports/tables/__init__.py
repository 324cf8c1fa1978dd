"""Tables of a run: data frames, CSV, Markdown, the terminal summary."""

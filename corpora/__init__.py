"""Speech to play: one module each corpus, with `utterances()`; and the tool that makes ours."""

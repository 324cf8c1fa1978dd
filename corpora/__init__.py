"""Speech corpora: one module per corpus, with `utterances()`; and the embedded one's generator."""

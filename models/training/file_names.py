"""What the exported models are called in their folder."""

CTRANSLATE2 = "ct2"
GGML = "ggml-q8_0.bin"

"""The tool that makes speech: espeak-ng, a small vocabulary, and a grammar over it."""

"""The embedded model: a tiny Whisper, trained by this project, for running all suites offline."""

from pathlib import Path

EMBEDDED: Path = Path(__file__).parent / "embedded"
"""The folder with `ct2/` (faster-whisper), `ggml-q8_0.bin` (whisper.cpp) and `card.json`."""

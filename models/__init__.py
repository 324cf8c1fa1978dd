"""The embedded model: tiny, made by this project, and enough to run every suite offline."""

from pathlib import Path

EMBEDDED: Path = Path(__file__).parent / "embedded"
"""Holds `ct2/` for faster-whisper, `ggml-q8_0.bin` for whisper.cpp, and `card.json` about both."""

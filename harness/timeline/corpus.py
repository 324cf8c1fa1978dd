"""Defines the utterances of a corpus."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.audio import Pcm16
from harness.contract import Word


@dataclass(frozen=True)
class CorpusUtterance:
    """An utterance of a corpus: its transcript, and a function that reads its audio."""

    utterance_id: str
    text: str
    duration_s: float
    words: tuple[Word, ...] | None
    """Times are seconds since the utterance's first sample; None when unknown."""
    read: Callable[[], Pcm16]
    """Reads the audio: int16, shape (n,), 16 kHz. Raises `AudioError`."""

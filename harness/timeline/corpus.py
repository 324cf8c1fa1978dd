"""Defines the utterances of a corpus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.audio import Pcm16
from harness.contract import Word
from harness.errors import UsageError

FEWEST_UTTERANCES = 3
"""Rules of the contract take several that differ, and random orders need a choice."""


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
    language: str | None = None
    """The code of its language, such as `en` or `pt-BR`; None when unknown."""


def require_enough(corpus: str, utterances: Sequence[CorpusUtterance]) -> None:
    """Make sure that a corpus has utterances to choose from.

    Raises:
        UsageError: It hasn't.
    """
    if len(utterances) < FEWEST_UTTERANCES:
        problem = f"holds {len(utterances)} utterance{'s' if len(utterances) != 1 else ''}"
        raise UsageError(f"corpus {corpus}", problem, f"{FEWEST_UTTERANCES} or more")

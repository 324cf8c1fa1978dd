"""Compares spoken and recognised text by utterance, and marks the differences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.contract import AudioSource
from harness.journal.events import Utterance
from harness.metrics import TrialLog
from harness.metrics.alignment import align


class Kind(StrEnum):
    """How a word was recognised."""

    EQUAL = "equal"
    SUBSTITUTED = "substituted"
    """Recognised as another word."""
    DELETED = "deleted"
    """Spoken, but not recognised."""
    INSERTED = "inserted"
    """Recognised, but not spoken."""


@dataclass(frozen=True)
class Piece:
    """Successive words of the same kind."""

    kind: Kind
    words: str


@dataclass
class Comparison:
    """An utterance's normalised words, without case and punctuation."""

    utterance: Utterance
    spoken: list[Piece] = field(default_factory=list)
    shown: list[Piece] = field(default_factory=list)
    errors: int = 0

    @property
    def letters(self) -> int:
        """Number of characters shown."""
        return sum(len(piece.words) for piece in (*self.spoken, *self.shown))


def compare(log: TrialLog, source: AudioSource) -> list[Comparison]:
    """Compare a source's finals with its reference, by the alignment of the word error rate.

    An inserted word is listed with the spoken word before it.
    """
    comparisons = [Comparison(utterance) for utterance in log.truth(source)]
    alignment = align(log, source)
    here = 0
    for pair in alignment.pairs if comparisons else ():
        spoken = None if pair.spoken is None else alignment.spoken[pair.spoken]
        shown = None if pair.shown is None else alignment.shown[pair.shown].token
        here = here if spoken is None else spoken.utterance
        kind = _kind(spoken.token if spoken else None, shown)
        if spoken is not None:
            _add(comparisons[here].spoken, kind, spoken.token)
        if shown is not None:
            _add(comparisons[here].shown, kind, shown)
        comparisons[here].errors += kind is not Kind.EQUAL
    return comparisons


def _kind(spoken: str | None, shown: str | None) -> Kind:
    if spoken is None:
        return Kind.INSERTED
    if shown is None:
        return Kind.DELETED
    return Kind.EQUAL if spoken == shown else Kind.SUBSTITUTED


def _add(pieces: list[Piece], kind: Kind, word: str) -> None:
    if pieces and pieces[-1].kind is kind:
        pieces[-1] = Piece(kind, f"{pieces[-1].words} {word}")
    else:
        pieces.append(Piece(kind, word))


def worst_first(comparisons: Sequence[Comparison], most: int) -> list[Comparison]:
    """Return the utterances with the most errors; of equal ones, the earliest."""
    wrong = [comparison for comparison in comparisons if comparison.errors]
    wrong.sort(key=lambda comparison: (-comparison.errors, comparison.utterance.t0))
    return wrong[:most]

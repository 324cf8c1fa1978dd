"""What was said beside what was recognised, by utterance, with the differences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.contract import AudioSource
from harness.journal.events import Utterance
from harness.metrics import TrialLog
from harness.metrics.alignment import align


class Kind(StrEnum):
    """What became of a word."""

    EQUAL = "equal"
    SUBSTITUTED = "substituted"
    """Another word stands for it."""
    DELETED = "deleted"
    """It was said, and nothing stands for it."""
    INSERTED = "inserted"
    """It was shown, and nobody said it."""


@dataclass(frozen=True)
class Piece:
    """Words in a row of which the same became."""

    kind: Kind
    words: str


@dataclass
class Comparison:
    """An utterance, as words that are compared: case and punctuation are taken away."""

    utterance: Utterance
    said: list[Piece] = field(default_factory=list)
    shown: list[Piece] = field(default_factory=list)
    errors: int = 0

    @property
    def letters(self) -> int:
        """How long it is on paper."""
        return sum(len(piece.words) for piece in (*self.said, *self.shown))


def compare(log: TrialLog, source: AudioSource) -> list[Comparison]:
    """Compare a source's finals with its truth, by the same alignment as the word error rate.

    An inserted word stands with the spoken word before it.
    """
    comparisons = [Comparison(utterance) for utterance in log.truth(source)]
    alignment = align(log, source)
    spoken, shown = alignment.spoken, [word.token for word in alignment.shown]
    for piece in alignment.pieces:
        kind = KINDS[piece.type]
        said_at = range(piece.ref_start_idx, piece.ref_end_idx)
        shown_at = range(piece.hyp_start_idx, piece.hyp_end_idx)
        for at in said_at:
            _add(comparisons[spoken[at].utterance].said, kind, spoken[at].token)
        for step, at in enumerate(shown_at):
            beside = said_at[step] if said_at else max(0, piece.ref_start_idx - 1)
            _add(comparisons[spoken[beside].utterance].shown, kind, shown[at])
        if kind is not Kind.EQUAL:
            for step in range(max(len(said_at), len(shown_at))):
                beside = said_at[step] if said_at else max(0, piece.ref_start_idx - 1)
                comparisons[spoken[beside].utterance].errors += 1
    return comparisons


KINDS = {
    "equal": Kind.EQUAL,
    "substitute": Kind.SUBSTITUTED,
    "delete": Kind.DELETED,
    "insert": Kind.INSERTED,
}
"""By the aligner's own words."""


def _add(pieces: list[Piece], kind: Kind, word: str) -> None:
    if pieces and pieces[-1].kind is kind:
        pieces[-1] = Piece(kind, f"{pieces[-1].words} {word}")
    else:
        pieces.append(Piece(kind, word))


def worst_first(comparisons: Sequence[Comparison], most: int) -> list[Comparison]:
    """The utterances with the most errors, and of those the earliest."""
    wrong = [comparison for comparison in comparisons if comparison.errors]
    wrong.sort(key=lambda comparison: (-comparison.errors, comparison.utterance.t0))
    return wrong[:most]

"""A trial's texts, cut to what people read: compared by utterance, and the finals as they came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.contract import ASRSegment, AudioSource
from harness.metrics import TrialLog
from reports.run_page.transcript import Comparison, compare, worst_first

T = TypeVar("T")

MAX_WORST = 8
MAX_ROWS = 400
MAX_LETTERS = 60_000
"""Of one list; a provider that runs away must not make the page unreadable."""


@dataclass(frozen=True)
class SourceText:
    """What was said on a source, and what was recognised."""

    source: AudioSource
    errors: int
    wrong: int
    """Utterances with an error."""
    worst: list[Comparison]
    utterances: list[Comparison]
    more_utterances: int
    """How many aren't shown."""
    finals: list[tuple[float, ASRSegment]]
    more_finals: int

    @property
    def in_words(self) -> str:
        """How right it is, in a sentence."""
        count = len(self.utterances) + self.more_utterances
        if not self.wrong:
            return f"All {count} utterances are right, word for word."
        return f"{self.wrong} of {count} utterances have errors, {self.errors} in all. The worst:"


def source_texts(log: TrialLog) -> list[SourceText]:
    """The texts of each source."""
    return [_source_text(log, source) for source in log.sources]


def _source_text(log: TrialLog, source: AudioSource) -> SourceText:
    every = compare(log, source)
    finals = log.finals(source)
    utterances = cut(every, lambda comparison: comparison.letters)
    shown_finals = cut(finals, lambda final: len(final[1].text))
    return SourceText(
        source=source,
        errors=sum(comparison.errors for comparison in every),
        wrong=sum(comparison.errors > 0 for comparison in every),
        worst=cut(worst_first(every, MAX_WORST), lambda comparison: comparison.letters),
        utterances=utterances,
        more_utterances=len(every) - len(utterances),
        finals=shown_finals,
        more_finals=len(finals) - len(shown_finals),
    )


def cut(items: Sequence[T], letters: Callable[[T], int]) -> list[T]:
    """The first items, as many as fit into a list that people read.

    >>> len(cut(["a" * 59_999, "bc", "d"], len))
    1
    """
    kept: list[T] = []
    room = MAX_LETTERS
    for item in items[:MAX_ROWS]:
        room -= letters(item)
        if room < 0:
            break
        kept.append(item)
    return kept

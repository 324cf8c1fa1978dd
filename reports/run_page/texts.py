"""Collects a trial's texts for the page, in limited length: compared utterances, and finals."""

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
"""Limit per list, since a faulty provider may return any amount of text."""


@dataclass(frozen=True)
class SourceText:
    """The spoken and the recognised text of a source."""

    source: AudioSource
    errors: int
    wrong: int
    """Utterances with an error."""
    worst: list[Comparison]
    utterances: list[Comparison]
    more_utterances: int
    """Number of utterances that aren't shown."""
    finals: list[tuple[float, ASRSegment]]
    more_finals: int

    @property
    def in_words(self) -> str:
        """A sentence about the errors."""
        count = len(self.utterances) + self.more_utterances
        if not self.wrong:
            return f"All {count} utterances are correct, word for word."
        return f"{self.wrong} of {count} utterances have errors, {self.errors} in all. The worst:"


def source_texts(log: TrialLog) -> list[SourceText]:
    """Return the texts of each source."""
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
    """Return the first items, up to `MAX_ROWS` and `MAX_LETTERS`.

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

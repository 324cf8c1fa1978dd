"""How well a clip was heard: word error rate, and the error of word times."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import jiwer
import numpy as np

from models.training.clips import Clip
from models.training.engines import TimedWord


@dataclass
class Score:
    """Counts pooled over clips, and signed time errors of the words that were right.

    >>> score = Score(words=200, substitutions=3, deletions=1, insertions=2)
    >>> score.wer_percent
    3.0
    """

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    start_errors_s: list[float] = field(default_factory=list)
    end_errors_s: list[float] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Words wrong, missing or too many."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer_percent(self) -> float:
        """Errors in a hundred words of the reference."""
        return round(100 * self.errors / self.words, 2)

    def add(self, other: "Score") -> None:
        """Pool another score into this one."""
        self.words += other.words
        self.substitutions += other.substitutions
        self.deletions += other.deletions
        self.insertions += other.insertions
        self.start_errors_s += other.start_errors_s
        self.end_errors_s += other.end_errors_s

    def figures(self) -> dict[str, Any]:
        """Summarise, for people and for `card.json`."""
        return {
            "words": self.words,
            "wer_percent": self.wer_percent,
            "substitutions": self.substitutions,
            "deletions": self.deletions,
            "insertions": self.insertions,
            "start_error_s": _spread(self.start_errors_s),
            "end_error_s": _spread(self.end_errors_s),
        }


def _spread(errors_s: Sequence[float]) -> dict[str, float]:
    if not errors_s:
        return {}
    size = np.abs(errors_s)
    return {
        "median": round(float(np.median(size)), 3),
        "p95": round(float(np.quantile(size, 0.95)), 3),
        "mean": round(float(np.mean(errors_s)), 3),
    }


def compare_words(reference: Sequence[TimedWord], heard: Sequence[TimedWord]) -> Score:
    """Score one clip against exactly these words."""
    if not reference:  # jiwer has no rate for an empty reference
        return Score(insertions=len(heard))
    text, guess = (" ".join(word.text for word in words) for words in (reference, heard))
    output = jiwer.process_words(text, guess)
    score = Score(len(reference), output.substitutions, output.deletions, output.insertions)
    for chunk in output.alignments[0]:
        if chunk.type == "equal":
            right = slice(chunk.ref_start_idx, chunk.ref_end_idx)
            found = slice(chunk.hyp_start_idx, chunk.hyp_end_idx)
            for said, word in zip(reference[right], heard[found], strict=True):
                score.start_errors_s.append(word.start_s - said.start_s)
                score.end_errors_s.append(word.end_s - said.end_s)
    return score


def score_clip(clip: Clip, heard: Sequence[TimedWord]) -> Score:
    """Score a clip, letting the engine write or leave out the words that its edges cut.

    The reference with the fewest errors counts. Times are judged on the words wholly inside.
    """
    score = compare_words(clip.words, heard)
    edges = [[TimedWord(word, 0, 0)] if word else [] for word in clip.cut]
    for before, after in product(*(([], edge) for edge in edges)):
        other = compare_words([*before, *clip.words, *after], heard)
        if other.errors < score.errors:
            score.substitutions = other.substitutions
            score.deletions = other.deletions
            score.insertions = other.insertions
    return score

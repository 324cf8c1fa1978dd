"""What is wrong with a corpus, as one list: file, line, what is wrong, what to do."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import DataFileError
from harness.support.sanitize import sanitize

MOST_SHOWN = 20
WIDTH = 80
INDENT = " " * 9


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; an error, unless it is only a warning."""

    line: int | None
    """The manifest's line, counted from 1; None where it is about the whole."""
    file: str
    """As the manifest names it; empty where it is about the line, the manifest about the whole."""
    what: str
    remedy: str
    is_warning: bool = False

    @classmethod
    def of(cls, error: DataFileError, line: int, file: str = "") -> "Problem":
        """The problem with a line that an error describes."""
        return cls(line, file, error.problem, error.allowed or "")

    def __str__(self) -> str:
        """As paragraphs of 80 columns; a word that is longer, such as a path, stays whole."""
        place = ", ".join(filter(None, [f"line {self.line}" if self.line else "", self.file]))
        kind = "warning" if self.is_warning else "error"
        paragraphs = [(f"{kind:<9}", place), (INDENT, self.what), (INDENT, f"-> {self.remedy}")]
        lines = [
            line
            for first, text in paragraphs
            for line in textwrap.wrap(
                sanitize(text), WIDTH - 1, initial_indent=first, subsequent_indent=INDENT,
                break_long_words=False, break_on_hyphens=False,
            )
        ]  # fmt: skip
        return "\n".join(lines)


def listing(problems: Sequence[Problem]) -> str:
    """All problems in the order of lines, errors first; at most 20 of each kind, and their number.

    >>> print(listing([Problem(3, "a.wav", "no such file", "a file that exists")]))
    1 error
    <BLANKLINE>
    error    line 3, a.wav
             no such file
             -> a file that exists
    """
    blocks = []
    for kind, are_warnings in (("error", False), ("warning", True)):
        of_kind = [problem for problem in problems if problem.is_warning is are_warnings]
        if of_kind:
            of_kind.sort(key=lambda problem: problem.line or 0)
            blocks.append(_heading(kind, len(of_kind)))
            blocks += map(str, of_kind[:MOST_SHOWN])
    return "\n\n".join(blocks)


def _heading(kind: str, count: int) -> str:
    shown = f", of which the first {MOST_SHOWN} are shown" if count > MOST_SHOWN else ""
    return f"{count} {kind}{'s' if count > 1 else ''}{shown}"

"""Markdown for the summary of a pipeline's step, in which no text from outside can act.

GitHub runs what a step prints as commands where a line begins with `::` or holds `##[`, and shows
what stands in the summary as Markdown with HTML. A provider's words must do neither.
"""

import re
from collections.abc import Sequence

from harness.support.sanitize import sanitize

ACTIVE = re.compile(r"[\\`*_\[\]<>#|~&@$]|^[-+=]|:(?=[:/])|(?<=:):|(?<=www)\.", re.IGNORECASE)
"""What Markdown, its extensions on GitHub, or HTML could take for more than text."""


def plain(text: str) -> str:
    r"""Text as Markdown that shows just that text, in one line.

    Every character that could begin something is written as its number, which Markdown shows as
    the character and takes for nothing else.

    >>> plain("<b>::error::x")
    '&#60;b&#62;&#58;&#58;error&#58;&#58;x'
    >>> plain("two\nlines")
    'two&#92;nlines'
    """
    shown = sanitize(text).replace("\t", " ").strip()
    return ACTIVE.sub(lambda found: f"&#{ord(found[0])};", shown)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the cells are made `plain`.

    >>> print(table(["trial", "wer"], [["a|b", "0.1"]]), end="")
    | trial | wer |
    | --- | --- |
    | a&#124;b | 0.1 |
    """
    lines = [header, ["---"] * len(header), *([plain(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

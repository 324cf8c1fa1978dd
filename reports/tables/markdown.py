"""Formats Markdown for the summary of a pipeline's step, in which external text has no effect.

GitHub executes lines of a step's output that begin with `::` or contain `##[`, and renders the
summary as Markdown with HTML. A provider's text must not trigger either.
"""

import re
from collections.abc import Sequence

from harness.support.sanitize import sanitize

ACTIVE = re.compile(r"[\\`*_\[\]<>#|~&@$]|^[-+=]|:(?=[:/])|(?<=:):|(?<=www)\.", re.IGNORECASE)
"""Characters with a meaning in Markdown, GitHub's extensions or HTML."""


def plain(text: str) -> str:
    r"""Return Markdown that shows exactly the text, in one line.

    Every character with a meaning is written as a numeric character reference.

    >>> plain("<b>::error::x")
    '&#60;b&#62;&#58;&#58;error&#58;&#58;x'
    >>> plain("two\nlines")
    'two&#92;nlines'
    """
    shown = sanitize(text).replace("\t", " ").strip()
    return ACTIVE.sub(lambda found: f"&#{ord(found[0])};", shown)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the cells are made `plain`.

    >>> print(table(["trial", "wer"], [["a|b", "0.1"]]), end="")
    | trial | wer |
    | --- | --- |
    | a&#124;b | 0.1 |
    """
    lines = [header, ["---"] * len(header), *([plain(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)

"""Tables as CSV files that a spreadsheet can open without doing what a transcript says."""

from pathlib import Path

import pandas as pd

from harness.files import write_whole
from harness.printable import printable

FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001  (some spreadsheets take the wide ones too)
"""What makes a spreadsheet calculate a cell instead of showing it; the list is OWASP's."""


def inert(cell: str) -> str:
    r"""Make a text harmless in a spreadsheet and in a terminal.

    >>> inert("=HYPERLINK(1)"), inert("< 0.5"), inert("two\nlines")
    ("'=HYPERLINK(1)", '< 0.5', 'two\\nlines')
    """
    shown = printable(cell)
    return f"'{shown}" if cell.startswith(FORMULA_STARTS) else shown


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame; numbers as they are, texts `inert`, missing values empty.

    Raises:
        JournalError: The file can't be written.
    """
    texts = frame.select_dtypes("string").columns
    safe = frame.assign(**{name: frame[name].map(inert, na_action="ignore") for name in texts})
    write_whole(path, safe.to_csv(index=False, lineterminator="\n").encode())

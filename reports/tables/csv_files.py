"""Writes tables as CSV files in which no text can act as a spreadsheet formula."""

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import repeat
from pathlib import Path

import pandas as pd

from harness.support.atomic_write import write_whole
from harness.support.sanitize import sanitize

FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001  (some spreadsheets take the wide ones too)
"""First characters that make a spreadsheet evaluate a cell; the list is OWASP's."""
BLOCK_ROWS = 10_000
"""Rows that are converted to text at a time, to limit memory."""


def inert(cell: str) -> str:
    r"""Make a text harmless in a spreadsheet and in a terminal.

    >>> inert("=HYPERLINK(1)"), inert("< 0.5"), inert("two\nlines")
    ("'=HYPERLINK(1)", '< 0.5', 'two\\nlines')
    """
    shown = sanitize(cell)
    return f"'{shown}" if cell.startswith(FORMULA_STARTS) else shown


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame: numbers unchanged, texts `inert`, missing values empty.

    Raises:
        JournalError: The file can't be written.
    """
    content = io.BytesIO()
    content.write(",".join(map(_quoted, frame.columns)).encode() + b"\n")
    for start in range(0, len(frame), BLOCK_ROWS):
        block = frame.iloc[start : start + BLOCK_ROWS]
        columns = [_cells(block[name]) for name in block.columns]
        rows = zip(*columns, strict=True)
        lines = (",".join(row) or '""' for row in rows)  # an empty line would be no row
        content.write("\n".join(lines).encode() + b"\n")
    write_whole(path, content.getvalue())


def _cells(column: pd.Series) -> Iterator[str]:
    """Convert a column to texts; several times faster than pandas' writer, which works by row."""
    values, missing = column.tolist(), column.isna()
    show = _inert_quoted if column.dtype == "string" else repr
    if not missing.any():
        alike = column.dtype != "Float64" and values.count(values[0]) == len(values)
        return repeat(show(values[0]), len(values)) if alike else map(show, values)
    return ("" if absent else show(value)
            for value, absent in zip(values, missing.tolist(), strict=True))  # fmt: skip


@lru_cache(maxsize=4096)
def _inert_quoted(cell: str) -> str:
    return _quoted(inert(cell))


def _quoted(cell: str) -> str:
    """Quote a cell for CSV where necessary."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([cell])
    return line.getvalue()

import csv
import io
import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import JournalError
from harness.journal.run_folder import RunFolder
from harness.support.atomic_write import write_whole
from reports.tables.csv_files import FORMULA_STARTS, inert, write_csv
from reports.tables.frames import chunk_frame, verdict_frame
from tests.reports.journals import read_results

HOSTILE = (
    "=cmd|'/C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＠x",  # noqa: RUF001
    '=HYPERLINK("http://x")', '",=1', "a\x1b[31mred", "\u202eevil", "'quoted", "",
)  # fmt: skip


def written(frame: pd.DataFrame, folder: Path) -> list[dict[str, str]]:
    write_csv(folder / "table.csv", frame)
    return list(csv.DictReader(io.StringIO((folder / "table.csv").read_text(), newline="")))


def test_no_hostile_text_starts_a_formula_or_acts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": HOSTILE}).astype("string")
    cells = [row["text"] for row in written(frame, tmp_path)]
    assert len(cells) == len(HOSTILE)
    for cell, text in zip(cells, HOSTILE, strict=True):
        assert not cell.startswith(FORMULA_STARTS)
        assert cell.replace("\t", "").isprintable()
        assert (cell[:1] == "'") == text.startswith((*FORMULA_STARTS, "'"))
    assert "\n" not in "".join(cells)


@given(st.text())
@example("＝1+1")  # noqa: RUF001
def test_any_text_becomes_inert(text: str) -> None:
    cell = inert(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert not any(letter in cell for letter in "\x1b\u202e\u2066\0\n\r")
    if text.isprintable() and not text.startswith(FORMULA_STARTS):
        assert cell == text


@given(st.floats(allow_nan=False))
def test_numbers_stay_numbers_to_the_last_digit(number: float) -> None:
    text = pd.DataFrame({"value": [number]}).astype("Float64").to_csv(index=False)
    assert float(text.splitlines()[1]) == number


def test_negative_and_infinite_numbers_are_no_formulas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"value": [-1.5, math.inf, -math.inf, None]}).astype("Float64")
    cells = [row["value"] for row in written(frame, tmp_path)]
    assert cells == ["-1.5", "inf", "-inf", ""]


def test_the_files_hold_the_frames(mixed_run: RunFolder, tmp_path: Path) -> None:
    results, _ = read_results(mixed_run)
    verdicts = verdict_frame(mixed_run.info.run_id, results)
    rows = written(verdicts, tmp_path)
    assert len(rows) == len(verdicts)
    for column in ("value", "count", "low"):
        empty = [row[column] == "" for row in rows]
        assert empty == list(verdicts[column].isna())
        assert any(empty)
    chunks = chunk_frame(mixed_run.info.run_id, results)
    rows = written(chunks, tmp_path)
    assert [row["rtf"] == "" for row in rows] == list(chunks.rtf.isna())
    assert {row["dropped"] for row in rows} == {"True", "False"}


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    good = tmp_path / "table.csv"
    write_whole(good, b"old")
    write_whole(good, b"new")
    assert good.read_bytes() == b"new"
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(JournalError, match=r"taken: can't be written \(.+\); allowed: a folder"):
        write_whole(taken, b"anything")
    with pytest.raises(JournalError, match="can't be written"):
        write_whole(tmp_path / "nowhere" / "table.csv", b"anything")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv", "taken"]

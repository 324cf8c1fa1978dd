"""Word times from CTM and TextGrid files."""

from pathlib import Path
from typing import Any

import pytest

from corpora.formats.ctm import read_ctm
from corpora.formats.textgrid import read_textgrid
from corpora.recordings.reading import read_corpus, read_manifest
from harness.contract import Word
from harness.errors import DataFileError
from tests.corpora.sounds import tone, write_lines, write_sound

WORDS = (Word("open", 0.25, 0.5), Word("the", 0.5, 0.75), Word("door", 1.0, 1.5))
CTM = "it 1 0.25 0.25 open 0.9\nit 1 0.5 0.25 the\nit 1 1.0 0.5 door NA lex spk\n"
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2
        intervals: size = 5
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "open"
        intervals [3]:
            xmin = 0.5
            xmax = 0.75
            text = "the"
        intervals [4]:
            xmin = 0.75
            xmax = 1.0
            text = "sp"
        intervals [5]:
            xmin = 1.0
            xmax = 1.5
            text = "door"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 2
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2
            text = "OW1"
    item [3]:
        class = "TextTier"
        name = "bells"
        xmin = 0
        xmax = 2
        points: size = 1
        points [1]:
            number = 0.5
            mark = "ding"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
2
<exists>
1
"IntervalTier"
"ORT"
0
2
4
0
0.25
""
0.25
0.5
"open"
0.5
0.75
"the"
1.0
1.5
"door"
"""


@pytest.fixture
def line(tmp_path: Path) -> dict[str, Any]:
    return write_sound(tmp_path / "it.wav", tone(2))


def words_of(folder: Path, line: dict[str, Any]) -> tuple[Word, ...] | None:
    (utterance,) = read_manifest(write_lines(folder, line))
    return utterance.words


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("it.ctm", CTM.encode()),
        ("it.ctm", b";; a comment\n\n" + CTM.replace("it ", "other-name ").encode()),
        ("it.ctm", "\n".join(reversed(CTM.splitlines())).encode()),
        ("IT.CTM", b"\xef\xbb\xbf" + CTM.replace("\n", "\r\n").encode()),
        ("talks.ctm", (CTM + "another 1 0 1 word\n").encode()),
        ("talks.ctm", CTM.replace("it ", "it.wav ").encode()),
        ("it.TextGrid", LONG.encode()),
        ("it.TextGrid", LONG.replace('"words"', '"anna - words"').encode()),
        ("it.textgrid", LONG.encode("utf-16")),
        ("it.TextGrid", SHORT.encode()),
        ("it.TextGrid", SHORT.replace("\n", "\r\n").encode("utf-8-sig")),
    ],
)
def test_files_beside_are_found(
    tmp_path: Path, line: dict[str, Any], name: str, content: bytes
) -> None:
    """By the stem of the recording, or the manifest's, in which all recordings are."""
    (tmp_path / name).write_bytes(content)
    assert words_of(tmp_path, line) == WORDS
    assert read_corpus(tmp_path / "talks.jsonl").problems == []


@pytest.mark.parametrize("field", ["ctm", "words_level_ctm_filepath", "textgrid"])
@pytest.mark.parametrize("is_absolute", [True, False])
def test_files_may_be_named(
    tmp_path: Path, line: dict[str, Any], field: str, is_absolute: bool
) -> None:
    (tmp_path / "words").mkdir()
    suffix, content = (".TextGrid", LONG) if field == "textgrid" else (".ctm", CTM)
    path = tmp_path / "words" / f"w{suffix}"
    path.write_text(content)
    name = path if is_absolute else path.relative_to(tmp_path)
    assert words_of(tmp_path, line | {field: str(name)}) == WORDS


def test_times_are_those_of_the_file(tmp_path: Path, line: dict[str, Any]) -> None:
    """An utterance takes those inside it, from its own beginning on."""
    (tmp_path / "it.ctm").write_text(CTM)
    part = line | {"offset": 0.5, "duration": 1.0, "text": "The door."}
    assert words_of(tmp_path, part) == (Word("the", 0.0, 0.25), Word("door", 0.5, 1.0))


def test_words_of_the_line_come_first(tmp_path: Path, line: dict[str, Any]) -> None:
    (tmp_path / "it.ctm").write_text(CTM)
    own = [["open", 0, 0.1], ["the", 0.1, 0.2], ["door", 0.2, 0.3]]
    words = words_of(tmp_path, line | {"words": own})
    assert words is not None
    assert words[0] == Word("open", 0, 0.1)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("it.ctm", CTM.replace("door", "window"), "'open the window'"),
        ("it.ctm", "", "''"),
        ("it.ctm", "it 1 0.25\n", "line 1: 3 fields"),
        ("it.ctm", "it 1 0.25 nan open\n", "line 1"),
        ("it.ctm", "it 1 0.25 x open\n", "line 1: could not convert"),
        ("it.ctm", "it 1 -1 1 open\n", "line 1"),
        ("talks.ctm", "another 1 0 1 word\n", "''"),
        ("it.TextGrid", LONG[: len(LONG) // 2], "ends early"),
        ("it.TextGrid", "", "isn't a TextGrid"),
        ("it.TextGrid", LONG.replace("words", "ORT"), "tiers of intervals: ORT, phones"),
        ("it.TextGrid", SHORT.replace("IntervalTier", "TextTier"), ""),
    ],
)
def test_what_does_not_fit_is_left_out_and_said(
    tmp_path: Path, line: dict[str, Any], name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    assert words_of(tmp_path, line) is None
    (problem,) = read_corpus(tmp_path / "talks.jsonl").problems
    assert problem.is_warning
    assert (problem.line, problem.file) == (1, "it.wav")
    assert said in problem.what
    assert name in problem.what


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataFileError, match="it: "):
        read_textgrid(path)
    with pytest.raises(DataFileError, match="UTF-8"):
        read_ctm(path)


def test_quotes_in_a_textgrid_are_doubled(tmp_path: Path) -> None:
    path = tmp_path / "it.TextGrid"
    path.write_text(SHORT.replace('"open"', '"say ""open"" 2 times"'))
    assert read_textgrid(path)[0].text == 'say "open" 2 times'

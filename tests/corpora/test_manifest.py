import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.own.reading import read_corpus, read_manifest
from harness.contract import Word
from harness.errors import AudioError, DataFileError
from harness.provider.registry import find_corpus
from tests.profiles import examples

SECOND = 16_000
GOOD: dict[str, Any] = {"audio_filepath": "a.wav", "duration": 1.0, "text": "open the door"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus folder with two seconds of sound, and another file beside the folder."""
    corpus = tmp_path / "corpus"
    (corpus / "sub").mkdir(parents=True)
    ramp = np.arange(2 * SECOND, dtype=np.int16)
    for path in (corpus / "a.wav", corpus / "sub" / "a.wav", tmp_path / "outside.wav"):
        soundfile.write(path, ramp, SECOND)
    return corpus


def manifest(folder: Path, *lines: dict[str, Any] | str | bytes) -> Path:
    path = folder / "manifest.jsonl"
    parts = [line if isinstance(line, bytes) else
             (line if isinstance(line, str) else json.dumps(line)).encode()
             for line in lines]  # fmt: skip
    path.write_bytes(b"\n".join(parts) + b"\n")
    return path


def refused(path: Path, *words: str, line: int | None = None) -> None:
    with pytest.raises(DataFileError) as caught:
        read_manifest(path)
    assert caught.value.where == (f"{path}, line {line}" if line else str(path))
    for word in words:
        assert word in str(caught.value)
    assert caught.value.allowed
    assert len(str(caught.value).splitlines()) == 1


def test_what_a_line_says_is_what_is_read(folder: Path) -> None:
    words = [["open", 0.0, 0.3], ["the", 0.3, 0.5], ["door", 0.5, 0.9]]
    (entry,) = read_manifest(manifest(folder, {**GOOD, "offset": 0.5, "words": words}))
    assert entry.text == "open the door"
    assert entry.duration_s == 1.0
    assert entry.words == (Word("open", 0, 0.3), Word("the", 0.3, 0.5), Word("door", 0.5, 0.9))
    assert np.array_equal(entry.read(), np.arange(8000, 24_000))


@pytest.mark.parametrize(
    "line",
    [
        {**GOOD, "text": ""},
        {**GOOD, "text": "Grüße, 世界 🎙️"},
        {**GOOD, "text": "line\u2028separator \u0085 and \x1f"},
        {**GOOD, "words": None},
        {**GOOD, "words": [], "text": ""},
        {**GOOD, "duration": 1, "offset": 1},
        {**GOOD, "offset": None},
        {**GOOD, "language": "en", "lang": "pt-BR"},
        {**GOOD, "text": "世界你好", "words": [["世界", 0, 0.1], ["你好", 0.1, 0.2]]},
        {**GOOD, "text": "สวัสดีชาวโลก", "words": [["สวัสดี", 0, 0.1], ["ชาวโลก", 0.1, 0.2]]},
        {**GOOD, "text": "नमस्ते दुनिया", "words": [["नमस्ते", 0, 0.1], ["दुनिया", 0.1, 0.2]]},
        {**GOOD, "text": "مرحبا بالعالم"},
        {**GOOD, "speaker": "a", "lang": None, "nested": {"a": [1]}},
        {**GOOD, "audio_filepath": "sub/../a.wav"},
        {**GOOD, "audio_filepath": "./a.wav"},
        {**GOOD, "text": "Well-known!", "words": [["well", 0, 0.1], ["known", 0.1, 0.2]]},
        {**GOOD, "words": [["Open the", 0, 0.2], ["door.", 0.1, 0.2]]},
    ],
)
def test_unusual_lines_are_fine(folder: Path, line: dict[str, Any]) -> None:
    for ascii_only in (True, False):
        (entry,) = read_manifest(manifest(folder, json.dumps(line, ensure_ascii=ascii_only)))
        assert entry.text == line["text"]
        assert len(entry.read()) == SECOND


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"\xef\xbb\xbf{line}\n", 1),
        (b"{line}\r\n{other}\r\n", 2),
        (b"\n\n  \t\n{line}\n\n{other}", 2),
        (b"{line}", 1),
    ],
)
def test_any_editor_may_have_written_it(folder: Path, text: bytes, count: int) -> None:
    """With a mark at the beginning, other line ends, blank lines, or no last line end."""
    first, second = (json.dumps({**GOOD, "offset": at}).encode() for at in (0.0, 0.5))
    path = folder / "manifest.jsonl"
    path.write_bytes(text.replace(b"{line}", first).replace(b"{other}", second))
    assert len(read_manifest(path)) == count


def test_utterances_of_one_file_differ_in_offset(folder: Path) -> None:
    lines = [{**GOOD, "duration": 0.1, "offset": 1.0 + at / 1e7} for at in range(3)]
    sub = {**GOOD, "audio_filepath": "sub/a.wav", "offset": 1.0}
    ids = [entry.utterance_id for entry in read_manifest(manifest(folder, *lines, sub))]
    assert len(set(ids)) == 4
    assert ids[0] == "a@1"
    assert ids[3] == "sub/a@1"


def test_the_same_utterance_twice_is_named(folder: Path) -> None:
    path = manifest(
        folder, GOOD, {**GOOD, "offset": 0.5}, "", {**GOOD, "audio_filepath": "./a.wav"}
    )
    (problem,) = read_corpus(path).problems
    assert (problem.line, problem.file, problem.is_warning) == (4, "./a.wav", True)
    assert "line 1" in problem.what
    assert len({entry.utterance_id for entry in read_manifest(path)}) == 3


def test_several_utterances_may_begin_at_one_moment(folder: Path) -> None:
    """People talk at once, and one recording may be in a manifest as a whole and in parts."""
    lines = [{**GOOD, "offset": 0.5}, {**GOOD, "offset": 0.5, "text": "me too"},
             {**GOOD, "offset": 0.5, "duration": 0.7}]  # fmt: skip
    corpus = read_corpus(manifest(folder, *lines))
    assert [entry.utterance_id for entry in corpus.utterances] == ["a@0.5", "a@0.5#2", "a@0.5#3"]
    assert corpus.problems == []


def test_absolute_paths_are_those_that_the_user_wrote(folder: Path, tmp_path: Path) -> None:
    """As NeMo's tools write them, wherever the sound lies."""
    (tmp_path / "link.wav").symlink_to("outside.wav")
    for path in (tmp_path / "outside.wav", tmp_path / "link.wav", folder / "a.wav"):
        (entry,) = read_manifest(manifest(folder, {**GOOD, "audio_filepath": str(path)}))
        assert len(entry.read()) == SECOND
        inside = path.parent == folder
        name = "a" if inside else str(path.with_suffix(""))
        assert entry.utterance_id in (f"{name}@0", f"{path.resolve().with_suffix('')}@0")


def test_all_lines_that_are_wrong_are_found(folder: Path) -> None:
    lines = [{**GOOD, "offset": at / 1000} for at in range(1000)]
    bad: list[dict[str, Any] | str] = [*lines]
    bad[10], bad[500], bad[999] = "{", {**GOOD, "audio_filepath": "b.wav"}, {**GOOD, "duration": -1}
    corpus = read_corpus(manifest(folder, *bad))
    assert [problem.line for problem in corpus.errors] == [11, 501, 1000]
    assert len(corpus.utterances) == 997
    refused(corpus.path, "2 more errors", line=11)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"audio_filepath": "a.wav", "duration": 1.0', ["JSON", "truncated"]),
        ("audio_filepath,duration,text", ["JSON"]),
        ('[{"audio_filepath": "a.wav"}]', ["Expected `object`, got `array`"]),
        ("null", ["got `null`"]),
        ('"a.wav"', ["got `str`"]),
        ("{}", ["audio_filepath"]),
        ('{"audio_filepath": "\\ud800", "duration": 1, "text": ""}', []),
        ('{"audio_filepath": "a.wav", "duration": NaN, "text": ""}', ["JSON"]),
        ('{"audio_filepath": "a.wav", "duration": Infinity, "text": ""}', ["JSON"]),
        ('{"audio_filepath": "a.wav", "duration": 1e999, "text": ""}', []),
        ({**GOOD, "duration": "1"}, ["`float`", "`str`", "$.duration"]),
        ({**GOOD, "duration": None}, ["$.duration"]),
        ({**GOOD, "duration": True}, ["$.duration"]),
        ({**GOOD, "duration": 0}, ["$.duration", "> 0"]),
        ({**GOOD, "duration": -1.5}, ["$.duration"]),
        ({**GOOD, "duration": 1e12}, ["$.duration", "14400"]),
        ({**GOOD, "duration": 10**400}, []),
        ({**GOOD, "offset": -0.1}, ["$.offset", ">= 0"]),
        ({**GOOD, "offset": [1]}, ["$.offset"]),
        ({**GOOD, "text": 5}, ["$.text"]),
        ({**GOOD, "language": "Spanish, I think"}, ["$.language"]),
        ({**GOOD, "ctm": "b.ctm"}, ["ctm 'b.ctm'", "no such file"]),
        ({**GOOD, "textgrid": "../b.TextGrid"}, ["textgrid", "inside its folder"]),
        ({**GOOD, "text": None}, ["$.text"]),
        ({"audio_filepath": "a.wav", "text": "x"}, ["duration"]),
        ({"audio_filepath": "a.wav", "duration": 1.0}, ["text"]),
        ({**GOOD, "audio_filepath": ""}, ["$.audio_filepath"]),
        ({**GOOD, "audio_filepath": 7}, ["$.audio_filepath"]),
        ({**GOOD, "words": "open"}, ["$.words"]),
        ({**GOOD, "words": [["open", 0.0]]}, ["$.words[0]"]),
        ({**GOOD, "words": [["open", "0", 1]]}, ["$.words[0]"]),
    ],
)
def test_a_line_that_is_not_as_it_must_be_is_quoted(
    folder: Path, line: dict[str, Any] | str, words: list[str]
) -> None:
    refused(manifest(folder, {**GOOD, "offset": 0.5}, line), *words, line=2)


@pytest.mark.parametrize(
    "times",
    [
        [(0.5, 0.9), (0.2, 0.4), (0.4, 0.5)],
        [(0.0, 0.3), (0.3, 0.2), (0.4, 0.5)],
        [(-0.1, 0.3), (0.3, 0.4), (0.4, 0.5)],
        [(0.0, 0.3), (0.3, 0.4), (0.4, 1.5)],
    ],
)
def test_words_out_of_order_or_out_of_the_utterance_are_named(
    folder: Path, times: list[tuple[float, float]]
) -> None:
    words = [[word, *time] for word, time in zip(["open", "the", "door"], times, strict=True)]
    refused(manifest(folder, {**GOOD, "words": words}), "word", "words in order", line=1)


def test_words_that_say_something_else_are_named(folder: Path) -> None:
    """Both would be taken for the truth, each by other metrics."""
    path = manifest(folder, {**GOOD, "words": [["open", 0.0, 0.3], ["window", 0.3, 0.5]]})
    refused(path, "open window", "open the door", line=1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/nowhere/a.wav", "no such file"),
        ("/", "no such file"),
        ("../outside.wav", "inside its folder"),
        ("sub/../../outside.wav", "inside its folder"),
        ("link-to-outside.wav", "inside its folder"),
        ("folder-link/outside.wav", "inside its folder"),
        ("..", "inside its folder"),
        ("b.wav", "no such file"),
        ("sub", "no such file"),
        (".", "no such file"),
        ("a.wav/b.wav", "no such file"),
        ("pipe.wav", "no such file"),
        ("dangling.wav", "no such file"),
        ("circle.wav", ""),
        ("a\0b.wav", ""),
        ("x" * 5000, ""),
        ("~/a.wav", "no such file"),
        ("file:///a.wav", "no such file"),
    ],
)
def test_audio_from_elsewhere_is_refused(folder: Path, name: str, words: str) -> None:
    (folder / "link-to-outside.wav").symlink_to("../outside.wav")
    (folder / "folder-link").symlink_to("..")
    (folder / "dangling.wav").symlink_to("nowhere.wav")
    (folder / "circle.wav").symlink_to("circle.wav")
    os.mkfifo(folder / "pipe.wav")
    refused(manifest(folder, {**GOOD, "audio_filepath": name}), "audio_filepath", words, line=1)


def test_links_inside_the_folder_are_fine(folder: Path) -> None:
    (folder / "link.wav").symlink_to("sub/a.wav")
    (entry,) = read_manifest(manifest(folder, {**GOOD, "audio_filepath": "link.wav"}))
    assert len(entry.read()) == SECOND


def test_a_manifest_may_be_reached_by_a_link(folder: Path, tmp_path: Path) -> None:
    """Names are relative to where it really is."""
    path = manifest(folder, GOOD)
    (tmp_path / "elsewhere.jsonl").symlink_to(path)
    assert len(read_manifest(tmp_path / "elsewhere.jsonl")) == 1


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_manifest_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "empty.jsonl"
    path.write_bytes(content)
    refused(path, "holds no utterance")


def test_what_is_no_manifest_is_refused(folder: Path) -> None:
    refused(folder / "missing.jsonl", "No such file")
    refused(folder, "directory")
    (folder / "latin.jsonl").write_bytes('{"text": "Grüße"}'.encode("latin-1"))
    refused(folder / "latin.jsonl", "utf-8", "UTF-8")
    refused(folder / "a.wav", "UTF-8")


def test_audio_is_checked_against_the_manifest_when_it_is_read(folder: Path) -> None:
    (folder / "text.wav").write_text("no sound")
    lines = [{**GOOD, "duration": 5.0}, {**GOOD, "offset": 100.0},
             {**GOOD, "audio_filepath": "text.wav"}]  # fmt: skip
    for entry in read_manifest(manifest(folder, *lines)):
        with pytest.raises(AudioError, match=r"\.wav"):
            entry.read()


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*GOOD, "offset", "words"]) | st.text(max_size=5), inner, max_size=5
            )
        ),
        max_leaves=10,
    )
)
@settings(max_examples=examples(200))
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(content))
    with pytest.raises(DataFileError):
        read_manifest(path)


@given(st.binary(max_size=200))
@settings(max_examples=examples(200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataFileError):
        read_manifest(path)


@pytest.mark.slow
def test_a_hundred_thousand_lines_are_read_in_no_time(folder: Path) -> None:
    for number in range(200):
        (folder / "sub" / f"{number}.wav").touch()
    lines = [{**GOOD, "audio_filepath": f"sub/{at % 200}.wav", "offset": at // 200}
             for at in range(100_000)]  # fmt: skip
    path = manifest(folder, *lines)
    begin_s = time.process_time()
    assert len(read_manifest(path)) == 100_000
    assert time.process_time() - begin_s < 15


def test_the_embedded_corpus_is_as_its_manifest_says() -> None:
    entries = find_corpus("embedded")
    assert len(entries) > 50
    for entry in entries[:: len(entries) // 10]:
        assert len(entry.read()) == pytest.approx(entry.duration_s * SECOND, abs=SECOND // 100)
        assert entry.words is not None
        assert entry.words[-1].t1 <= entry.duration_s + 0.1

"""Manifests that are read: their lines, audio paths, links and sizes."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.recordings.reading import read_corpus, read_manifest
from harness.contract import Word
from harness.provider.registry import find_corpus
from tests.corpora.manifests import GOOD, SECOND, manifest


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


def test_links_inside_the_folder_are_fine(folder: Path) -> None:
    (folder / "link.wav").symlink_to("sub/a.wav")
    (entry,) = read_manifest(manifest(folder, {**GOOD, "audio_filepath": "link.wav"}))
    assert len(entry.read()) == SECOND


def test_a_manifest_may_be_reached_by_a_link(folder: Path, tmp_path: Path) -> None:
    """Names are relative to where it really is."""
    path = manifest(folder, GOOD)
    (tmp_path / "elsewhere.jsonl").symlink_to(path)
    assert len(read_manifest(tmp_path / "elsewhere.jsonl")) == 1


@pytest.mark.slow
def test_many_lines_are_read_in_no_time(folder: Path) -> None:
    for number in range(200):
        (folder / "sub" / f"{number}.wav").touch()
    lines = [{**GOOD, "audio_filepath": f"sub/{at % 200}.wav", "offset": at // 200}
             for at in range(20_000)]  # fmt: skip
    path = manifest(folder, *lines)
    begin_s = time.process_time()
    assert len(read_manifest(path)) == 20_000
    assert time.process_time() - begin_s < 3


def test_the_embedded_corpus_is_as_its_manifest_says() -> None:
    entries = find_corpus("embedded")
    assert len(entries) > 50
    for entry in entries[:: len(entries) // 10]:
        assert len(entry.read()) == pytest.approx(entry.duration_s * SECOND, abs=SECOND // 100)
        assert entry.words is not None
        assert entry.words[-1].t1 <= entry.duration_s + 0.1

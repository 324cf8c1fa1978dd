"""Manifests that are wrong: the line, what is in it, and what is allowed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.recordings.reading import read_corpus, read_manifest
from harness.errors import AudioError, DataFileError
from tests.corpora.manifests import GOOD, manifest, refused
from tests.profiles import examples


def test_the_same_utterance_twice_is_named(folder: Path) -> None:
    path = manifest(
        folder, GOOD, {**GOOD, "offset": 0.5}, "", {**GOOD, "audio_filepath": "./a.wav"}
    )
    (problem,) = read_corpus(path).problems
    assert (problem.line, problem.file, problem.is_warning) == (4, "./a.wav", True)
    assert "line 1" in problem.what
    assert len({entry.utterance_id for entry in read_manifest(path)}) == 3


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

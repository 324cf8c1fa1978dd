"""Recordings of minutes and hours are cut at pauses, and no word is lost."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.recordings.check import check_manifest
from corpora.recordings.cutting import AIM_S, LONGEST_S, SHORTEST_PAUSE_S, cut
from corpora.recordings.reading import read_corpus, read_manifest
from corpora.recordings.recording import Recording
from harness.contract import Word
from tests.corpora.sounds import silence, tone, write_lines, write_sound


def recording_of(words: list[Word], duration_s: float, text: str | None = None) -> Recording:
    said = " ".join(word.text for word in words) if text is None else text
    return Recording(1, "it.wav", Path("it.wav"), 100.0, duration_s, said, tuple(words), "en")


def with_pauses(pauses_s: list[float], word_s: float = 0.4) -> list[Word]:
    """A word after each pause."""
    words, at_s = [], 0.0
    for number, pause_s in enumerate(pauses_s):
        at_s += pause_s
        words.append(Word(f"w{number}", at_s, at_s + word_s))
        at_s += word_s
    return words


@given(
    st.lists(st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.6, 2.0, 90.0]), min_size=2, max_size=400),
    st.floats(0, 100),
)
@settings(deadline=None)
def test_no_word_is_lost_or_moved(pauses_s: list[float], behind_s: float) -> None:
    pauses_s = [pause_s if number % 20 else max(pause_s, 0.3)
                for number, pause_s in enumerate(pauses_s)]  # fmt: skip
    words = with_pauses(pauses_s)
    recording = recording_of(words, words[-1].t1 + behind_s)
    pieces = cut(recording)
    said = [(word.text, piece.offset_s + word.t0 - 100, piece.offset_s + word.t1 - 100)
            for piece in pieces for word in piece.words or ()]  # fmt: skip
    assert [text for text, *_ in said] == [word.text for word in words]
    assert " ".join(piece.text for piece in pieces) == recording.text
    assert np.allclose([times for _, *times in said], [(word.t0, word.t1) for word in words])
    assert all(0 < piece.duration_s <= LONGEST_S for piece in pieces)
    assert all(one.end_s <= other.offset_s + 1e-6
               for one, other in pairwise(pieces))  # fmt: skip
    assert pieces[-1].end_s <= recording.end_s + 1e-6
    for piece in pieces:
        assert piece.words
        assert piece.words[0].t0 >= -1e-6
        assert piece.words[-1].t1 <= piece.duration_s + 1e-6
        assert piece.language == "en"


def test_the_widest_pauses_are_taken() -> None:
    words = with_pauses([2.0 if number % 30 == 29 else 0.35 for number in range(299)])
    pieces = cut(recording_of(words, words[-1].t1))
    assert {len(piece.words or ()) for piece in pieces} <= {29, 30}
    assert all(piece.duration_s <= AIM_S for piece in pieces)


def test_what_is_silent_for_long_is_not_played() -> None:
    words = with_pauses([200.0, 0.1, 400.0, 0.1])
    first, second = cut(recording_of(words, 1000.0))
    assert first.offset_s == pytest.approx(299.0)
    assert first.duration_s == pytest.approx(2.9)
    assert second.words is not None
    assert second.words[0].t0 == pytest.approx(1.0)


def test_a_minute_stays_whole() -> None:
    words = with_pauses([1.0] * 40)
    recording = recording_of(words, LONGEST_S)
    assert cut(recording) == [recording]


def test_text_without_spaces_stays_so() -> None:
    words = [Word("世界", 2.0 * at, 2.0 * at + 1) for at in range(50)]
    pieces = cut(recording_of(words, 100.0, "世界" * 50))
    assert len(pieces) > 1
    assert "".join(piece.text for piece in pieces) == "世界" * 50


def problem_of(folder: Path, line: dict[str, Any]) -> str:
    (problem,) = read_corpus(write_lines(folder, line)).problems
    assert not problem.is_warning
    return f"{problem.what} {problem.remedy}"


def test_text_without_times_is_not_guessed(tmp_path: Path) -> None:
    said = problem_of(tmp_path, write_sound(tmp_path / "it.wav", tone(61)))
    for words in ("61 s without word times", "CTM or TextGrid", "`offset` and `duration`"):
        assert words in said


def test_words_without_a_pause_are_not_cut(tmp_path: Path) -> None:
    line = write_sound(tmp_path / "it.wav", tone(80))
    words = [["la", 0.4 * at, 0.4 * at + 0.4] for at in range(200)]
    said = problem_of(tmp_path, line | {"text": "la " * 200, "words": words})
    assert f"no pause of {SHORTEST_PAUSE_S:g} s between the words of 80 s from 0.0 s on" in said


def test_pauses_are_heard_where_words_last_until_the_next(tmp_path: Path) -> None:
    """As those of many aligners do; a silence inside a word is none between words."""
    word, pause_s = tone(0.5), 0.5
    inside = np.concatenate([tone(0.2), silence(0.5), tone(0.3)])
    samples = np.concatenate([np.concatenate([word, silence(pause_s)])] * 80 + [inside] * 10)
    times = [["go", float(at), float(at + 1)] for at in range(90)]
    line = write_sound(tmp_path / "it.wav", samples) | {"text": "go " * 90, "words": times}
    path = write_lines(tmp_path, line)
    entries = read_manifest(path)
    assert len(entries) > 2
    assert sum(len(entry.words or ()) for entry in entries) == 90
    loud = sum(int((np.abs(entry.read()) > 100).sum()) for entry in entries)
    assert loud == int((np.abs(samples * 32768) > 100).sum())
    assert check_manifest(path).problems == []


def test_hours_in_which_nothing_is_said_are_cut_anywhere(tmp_path: Path) -> None:
    line = write_sound(tmp_path / "it.wav", tone(200, -50)) | {"text": "[rain]"}
    corpus = check_manifest(write_lines(tmp_path, line))
    assert corpus.problems == []
    samples = sum(len(entry.read()) for entry in corpus.utterances)
    assert samples == pytest.approx(200 * 16_000, abs=7)  # each piece begins at a whole sample
    assert [entry.words for entry in corpus.utterances] == [None] * 7

"""Each kind of fault is found before a model is loaded, by file and line, with what to do."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora.recordings.check import check_manifest
from corpora.recordings.problem import Problem
from harness.audio import read_audio
from tests.corpora.sounds import good_lines, silence, tone, write_lines, write_sound

Make = Callable[[Path], dict[str, Any]]


def problems_of(folder: Path, line: dict[str, Any] | str) -> list[Problem]:
    """What is wrong with a corpus whose third line is this one."""
    good = good_lines(folder, 3)
    return check_manifest(write_lines(folder, *good[:2], line, good[2])).problems


def written(folder: Path, samples: Any, subtype: str = "PCM_16", **fields: Any) -> dict[str, Any]:
    return write_sound(folder / "it.wav", samples, subtype) | fields


def as_bytes(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    (folder / name).write_bytes(content)
    return {"audio_filepath": name, "duration": 1.0, "text": "open the door"}


def stereo(right: float) -> Any:
    return np.stack([tone(1.0), right * tone(1.0)], axis=1)


def words_at(*starts_s: float) -> list[tuple[str, float, float]]:
    return [(word, at_s, at_s + 0.3) for word, at_s in zip(["open", "the", "door"], starts_s,
                                                         strict=True)]  # fmt: skip


def nan(folder: Path) -> dict[str, Any]:
    samples = tone(1.0)
    samples[700] = np.nan
    return written(folder, samples, "FLOAT")


def slow(folder: Path) -> dict[str, Any]:
    soundfile.write(folder / "it.wav", np.zeros(2000), 2000)
    return {"audio_filepath": "it.wav", "duration": 1.0, "text": ""}


ERRORS: dict[str, tuple[Make, list[str]]] = {
    "cancels": (lambda folder: written(folder, stereo(-1)), ["cancel", "remix 1"]),
    "nearly cancels": (lambda folder: written(folder, stereo(-0.8)), ["cancel", "remix 1"]),
    "whole numbers": (
        lambda folder: written(folder, tone(1.0) * 32768, "FLOAT"),
        ["full scale", "ffmpeg", "volume=3.052e-05"],
    ),
    "too loud": (lambda folder: written(folder, tone(1.0) * 30, "DOUBLE"), ["±4.24", "volume="]),
    "nan": (nan, ["sample 700"]),
    "silent": (lambda folder: written(folder, silence(1)), ["silent", '"text": ""']),
    "short": (lambda folder: written(folder, tone(1), duration=1.4), ["1.400", "1.000"]),
    "behind": (lambda folder: written(folder, tone(1), offset=1.0), ["no sample from 1 s"]),
    "slow": (slow, ["2000 Hz", "ffmpeg"]),
    "mp4": (
        lambda folder: as_bytes(folder, "it.wav", b"\0\0\0\x20ftypM4A " + bytes(90)),
        ["MP4", "ffmpeg -i", "it.wav -ac 1 -ar 16000", "it-16k.flac"],
    ),
    "webm": (lambda folder: as_bytes(folder, "it", b"\x1aE\xdf\xa3" + bytes(90)), ["WebM"]),
    "raw": (lambda folder: as_bytes(folder, "it.raw", bytes(90)), ["no header", "sox -t raw"]),
    "text": (lambda folder: as_bytes(folder, "it.wav", b"no sound"), ["isn't readable"]),
    "empty": (lambda folder: as_bytes(folder, "it.wav", b""), ["is empty"]),
    "no file": (lambda folder: written(folder, tone(1)) | {"audio_filepath": "x"}, ["no such"]),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_errors(tmp_path: Path, kind: str) -> None:
    make, words = ERRORS[kind]
    line = make(tmp_path)
    (problem,) = problems_of(tmp_path, line)
    assert (problem.line, problem.file) == (3, line["audio_filepath"])
    assert not problem.is_warning
    said = f"{problem.what} {problem.remedy}"
    assert all(word in said for word in words), said


WARNINGS: dict[str, tuple[Make, list[str]]] = {
    "quiet": (lambda folder: written(folder, tone(1, -55), "PCM_24"), ["-55 dBFS", "gain 30"]),
    "beyond": (lambda folder: written(folder, tone(1, -2), "FLOAT"), ["±1.12", "clipped"]),
    "longer": (lambda folder: written(folder, tone(2), duration=1.5), ["2.000", "1.500"]),
    "words in silence": (
        lambda folder: written(
            folder, np.concatenate([tone(2), silence(5)]), words=words_at(4, 5, 6)
        ),
        ["word times", "-120 dBFS there"],
    ),
    "words in noise": (
        lambda folder: written(
            folder, np.concatenate([tone(2), tone(5, -45)]), words=words_at(4, 5, 6)
        ),
        ["word times", "-45 dBFS there", "-20 dBFS elsewhere"],
    ),
}


@pytest.mark.parametrize("kind", WARNINGS)
def test_warnings(tmp_path: Path, kind: str) -> None:
    make, words = WARNINGS[kind]
    (problem,) = problems_of(tmp_path, make(tmp_path))
    assert (problem.line, problem.is_warning) == (3, True)
    said = f"{problem.what} {problem.remedy}"
    assert all(word in said for word in words), said


FINE: dict[str, Make] = {
    "some tenths": lambda folder: written(folder, tone(1), duration=1.036),
    "0.3 s": lambda folder: written(folder, tone(1), duration=1.299),
    "one channel of two": lambda folder: written(folder, stereo(0)),
    "both": lambda folder: written(folder, stereo(1)),
    "silence": lambda folder: written(folder, silence(1), text=""),
    "noise": lambda folder: written(folder, tone(1, -60), text="[noise]"),
    "lead": lambda folder: written(
        folder, np.concatenate([silence(6), tone(1)]), words=words_at(6, 6.3, 6.6)
    ),
    "between": lambda folder: written(
        folder, np.concatenate([tone(0.3), silence(1)] * 3), words=words_at(0, 1.3, 2.6)
    ),
    "a part": lambda folder: written(folder, tone(3), duration=1, offset=1.5),
}


@pytest.mark.parametrize("kind", FINE)
def test_what_is_fine(tmp_path: Path, kind: str) -> None:
    assert problems_of(tmp_path, FINE[kind](tmp_path)) == []


def test_what_some_tenths_lack_is_played(tmp_path: Path) -> None:
    line = written(tmp_path, tone(1), duration=1.25)
    corpus = check_manifest(write_lines(tmp_path, *[line | {"text": str(n)} for n in range(3)]))
    assert [len(entry.read()) for entry in corpus.utterances] == [16_000] * 3


def test_lossy_decoders_may_overshoot(tmp_path: Path) -> None:
    samples = np.sign(tone(1.0)) * 0.999  # a square wave, which overshoots when it is coded
    soundfile.write(tmp_path / "it.ogg", samples, 16_000, format="OGG", subtype="VORBIS")
    decoded, _ = soundfile.read(tmp_path / "it.ogg")
    assert np.abs(decoded).max() > 1
    seconds = len(decoded) / 16_000
    line = {"audio_filepath": "it.ogg", "duration": seconds, "text": "open"}
    assert problems_of(tmp_path, line) == []


def test_a_file_with_many_lines_is_named_once(tmp_path: Path) -> None:
    line = as_bytes(tmp_path, "it.wav", b"no sound")
    lines = [line | {"offset": at} for at in range(5)]
    (problem,) = check_manifest(write_lines(tmp_path, *lines)).problems
    assert problem.line == 1
    assert "4 more lines" in problem.what


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_utterances_are_the_corpus_fault(tmp_path: Path, count: int) -> None:
    path = write_lines(tmp_path, *good_lines(tmp_path, count))
    (problem,) = check_manifest(path).problems
    assert problem.line is None
    assert str(path) == problem.file
    assert f"{count} utterance" in problem.what


def test_several_languages_are_too_many_for_one_engine(tmp_path: Path) -> None:
    codes = ["en-US", "en_GB", "es"]
    lines = [line | {"language": code} for line, code in zip(good_lines(tmp_path), codes,
                                                             strict=True)]  # fmt: skip
    (problem,) = check_manifest(write_lines(tmp_path, *lines)).problems
    assert problem.is_warning
    assert "en, es" in problem.what
    corpus = check_manifest(write_lines(tmp_path, *lines[:2], lines[0] | {"lang": "en"}))
    assert [entry.language for entry in corpus.utterances] == ["en-US", "en_GB", "en-US"]


def test_the_command_for_sox_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (problem,) = problems_of(tmp_path, written(tmp_path, stereo(-1)))
    command = problem.remedy.partition(": ")[2]
    try:
        subprocess.run(command, shell=True, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        if error.returncode != 127:  # the shell's word for a command that isn't there
            raise
        pytest.skip("sox is not on this machine")
    assert np.abs(read_audio(tmp_path / "it-16k.flac")).max() > 4000

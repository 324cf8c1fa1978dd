"""How endpointing does on real voices and noises; those recordings aren't part of the project."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.audio import SAMPLE_RATE_HZ, Samples, read_audio, to_float
from harness.contract import AudioAccount
from providers.streaming.segmenter import Limits, Segmenter
from tests.providers.signals import noise, windows_of

FOLDER = Path(__file__).parents[4] / "shared" / "speech"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recordings in ../shared/speech are not on this machine"
)

LEAD_IN = 2 * SAMPLE_RATE_HZ
Mask = NDArray[np.bool_]


@cache
def lines(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def recordings() -> dict[str, Samples]:
    return {line["id"]: to_float(read_audio(FOLDER / line["file"]).tobytes())
            for line in lines("manifest.jsonl")}  # fmt: skip


def mask(intervals: list[list[float]], length: int) -> Mask:
    found = np.zeros(length, bool)
    for begin_s, end_s, *_ in intervals:
        found[round(begin_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)] = True
    return found


def inside_segments(samples: Samples, noise_db: float) -> Mask:
    """Which samples end up in finals, with some seconds of noise before them and under them."""
    audio = np.concatenate([np.zeros(LEAD_IN, np.float32), samples])
    audio += noise(len(audio), noise_db)
    found = np.zeros(len(audio), bool)
    for window in windows_of(Segmenter(Limits(), AudioAccount()), audio):
        if window.is_final:
            found[window.begin : window.end] = True
    return found[LEAD_IN:]


def labelled(kind: str) -> list[dict[str, Any]]:
    kinds = {line["id"]: line["kind"] for line in lines("manifest.jsonl")}
    return [line for line in lines("segments.jsonl") if kinds[line["id"]] == kind]


@pytest.mark.parametrize(("noise_db", "least"), [(-70, 0.98), (-50, 0.95), (-40, 0.75)])
def test_words_are_inside_segments(noise_db: float, least: float) -> None:
    """A word counts when four fifths of it are; the voices in question are at about -30 dB."""
    found, count = 0, 0
    for line in labelled("speech"):
        inside = inside_segments(recordings()[line["id"]], noise_db)
        for begin_s, end_s, _ in line.get("words", []):
            word = inside[round(begin_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
            count += 1
            found += bool(word.mean() >= 0.8) if len(word) else True
    assert count > 150
    assert found / count >= least


def test_labelled_speech_is_inside_segments_and_silence_often_is_not() -> None:
    """Labels of whole turns hold pauses, and segments hold short ones by design."""
    speech, caught, silence, wrong = 0, 0, 0, 0
    for line in labelled("speech"):
        samples = recordings()[line["id"]]
        inside = inside_segments(samples, -70)
        is_speech = mask(line["speech"], len(samples))
        is_silence = mask(line["nonspeech"], len(samples))
        speech, caught = speech + is_speech.sum(), caught + (is_speech & inside).sum()
        silence, wrong = silence + is_silence.sum(), wrong + (is_silence & inside).sum()
    assert caught / speech >= 0.95
    assert wrong / silence <= 0.55


def test_rain_is_soon_taken_for_silence() -> None:
    """Keys that are hit one by one come and go as speech does, and so nothing is asked of them."""
    assert inside_segments(recordings()["noise-rain"], -70).mean() <= 0.4

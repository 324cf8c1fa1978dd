"""The filter on real voices and noises; those recordings aren't part of the project."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.audio import SAMPLE_RATE_HZ, read_audio
from harness.vad import PreFilter, make_detector

FOLDER = Path(__file__).parents[3] / "shared" / "speech"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recordings in ../shared/speech are not on this machine"
)
AROUND = np.zeros(SAMPLE_RATE_HZ, np.int16)


def lines(name: str) -> dict[str, dict[str, Any]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return {line["id"]: line for line in map(json.loads, text.splitlines())}


def let_through(identity: str) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which samples of a recording pass, with a second of silence around it."""
    pcm = read_audio(FOLDER / lines("manifest.jsonl")[identity]["file"])
    audio = np.concatenate([AROUND, pcm, AROUND])
    prefilter = PreFilter(make_detector())
    stretches = [stretch for at in range(0, len(audio), 1600)
                 for stretch in prefilter.push(audio[at : at + 1600])]  # fmt: skip
    passed = np.zeros(len(audio), bool)
    for stretch in [*stretches, *prefilter.finish()]:
        passed[stretch.first_sample :][: len(stretch.pcm)] = stretch.is_speech
    return passed[len(AROUND) : -len(AROUND)]


def test_no_word_is_lost() -> None:
    lost, count = [], 0
    for identity, labels in lines("segments.jsonl").items():
        words = labels.get("words", [])
        passed = let_through(identity) if words else None
        for begin_s, end_s, text in words:
            assert passed is not None
            word = passed[round(begin_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
            count += 1
            if len(word) and word.mean() < 0.5:
                lost.append((identity, text))
    assert count > 150
    assert lost == []


def test_rooms_rain_and_keys_do_not_pass() -> None:
    kinds = {identity: line["kind"] for identity, line in lines("manifest.jsonl").items()}
    noises = [identity for identity in lines("segments.jsonl") if kinds[identity] == "nonspeech"]
    assert len(noises) >= 4
    for identity in noises:
        assert let_through(identity).mean() < 0.05, identity

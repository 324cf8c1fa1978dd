"""Audio that is missing, damaged or absurd: one clear error for each cause."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness import audio
from harness.audio import MAX_FILE_S, SAMPLE_RATE_HZ, read_audio
from harness.errors import AudioError
from tests.audio_files import tone, write
from tests.profiles import examples


def refused(path: Path, *part: float, words: str) -> None:
    with pytest.raises(AudioError) as caught:
        read_audio(path, *part)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert words in caught.value.problem
    assert caught.value.allowed
    assert "\n" not in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ((3.0,), "no sample from 3.0 s on"),
        ((1e300, 1.0), "no sample from 1e+300 s on"),
        ((1.0, 1.5), "1.000 s from 1.0 s on"),
        ((0.0, 1e-9), "no sample"),
        ((-1.0,), "from -1.0 s on"),
        ((float("nan"),), "nan"),
        ((float("inf"),), "inf"),
        ((0.0, 0.0), "0.0 s from"),
        ((0.0, -2.0), "-2.0 s from"),
        ((0.0, float("nan")), "nan s from"),
        ((0.0, 1e12), "1000000000000.0 s"),
    ],
)
def test_a_part_that_is_not_there_is_refused(
    tmp_path: Path, part: tuple[float, ...], words: str
) -> None:
    path = tmp_path / "two-seconds.wav"
    soundfile.write(path, np.zeros(32_000, np.int16), SAMPLE_RATE_HZ)
    refused(path, *part, words=words)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_numbers_that_are_none_are_found(tmp_path: Path, value: float, rate_hz: int) -> None:
    samples = np.zeros((audio.BLOCK + 500, 2), np.float32)
    samples[audio.BLOCK + 100, 1] = value
    path = write(tmp_path / "holes.wav", samples, rate_hz, ("WAV", "FLOAT"))
    refused(path, words=f"sample {audio.BLOCK + 100} is {value}")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.wav", b""),
        ("text.wav", b"this is no sound"),
        ("tiny.flac", b"fLaC"),
        ("magic.wav", b"RIFF\xff\xff\xff\xffWAVE"),
        ("riff.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"),
        ("page.mp3", b"<!DOCTYPE html>" * 100),
        ("zeros.ogg", bytes(5000)),
        ("headerless.raw", bytes(5000)),
        ("headerless.pcm", bytes(5000)),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, words="not readable")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "missing.wav", words="no such file")
    refused(tmp_path, words="no such file")
    os.mkfifo(tmp_path / "pipe.wav")  # opening it would wait for ever
    refused(tmp_path / "pipe.wav", words="no such file")


def wav_bytes(
    data: bytes, rate_hz: int = 16_000, channels: int = 1, claimed: int | None = None
) -> bytes:
    """A 16-bit wave file, in which every number can be a lie."""
    claimed = len(data) if claimed is None else claimed
    frame = 2 * channels
    numbers = (16, 1, channels, rate_hz, rate_hz * frame % 2**32, frame, 16, b"data", claimed)
    parts = struct.pack("<IHHIIHH4sI", *numbers)
    return b"RIFF" + struct.pack("<I", (36 + claimed) % 2**32) + b"WAVEfmt " + parts + data


def test_a_sound_without_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    path.write_bytes(wav_bytes(b""))
    refused(path, words="no sample")


def test_a_header_that_promises_more_is_found_by_the_declared_length(tmp_path: Path) -> None:
    path = tmp_path / "lies.wav"
    path.write_bytes(wav_bytes(bytes(32_000), claimed=320_000))
    assert len(read_audio(path)) == 16_000
    refused(path, 0.0, 10.0, words="1.000 s from 0.0 s on")


@pytest.mark.parametrize(
    ("rate_hz", "words"),
    [(0, "not readable"), (1, "1 Hz"), (3999, "3999 Hz"), (384_001, "384001 Hz"),
     (2**31 - 1, "Hz"), (2**32 - 1, "not readable")],
)  # fmt: skip
def test_an_absurd_rate_is_refused(tmp_path: Path, rate_hz: int, words: str) -> None:
    path = tmp_path / "rate.wav"
    path.write_bytes(wav_bytes(bytes(3200), rate_hz))
    refused(path, words=words)


def test_hours_are_refused_without_reading_them(tmp_path: Path) -> None:
    """18 hours that take no room on the disk; a part of them can be had."""
    path = tmp_path / "hours.wav"
    size = (1 << 31) - 4096
    path.write_bytes(wav_bytes(b"", claimed=size))
    os.truncate(path, 44 + size)
    hours_s = size / 2 / SAMPLE_RATE_HZ
    assert hours_s > MAX_FILE_S
    refused(path, words=f"{hours_s:.0f} s of audio")
    assert not read_audio(path, 60_000.0, 1.0).any()


def read_or_refused(path: Path) -> NDArray[np.int16] | None:
    """The audio; None after an error that names the file. Another error fails the test."""
    try:
        return read_audio(path)
    except AudioError as error:
        return None if str(path) in str(error) else pytest.fail(str(error))


@pytest.mark.parametrize("kind", [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
                                  ("MP3", "MPEG_LAYER_III")], ids="-".join)  # fmt: skip
@given(st.data())
@settings(max_examples=examples(60))
def test_a_cut_file_is_an_error_or_short(
    tmp_path_factory: pytest.TempPathFactory, kind: tuple[str, str], data: st.DataObject
) -> None:
    """And never longer than what is declared, nor anything but an `AudioError`."""
    whole = tmp_path_factory.getbasetemp() / f"whole-{kind[0]}"
    if not whole.exists():
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 48_000)
        write(whole, noise, 48_000, kind)
    content = whole.read_bytes()
    path = whole.with_name(f"cut-{kind[0]}")
    path.write_bytes(content[: data.draw(st.integers(0, int(len(content) * 0.9)))])
    read = read_or_refused(path)
    assert read is None or len(read) < 16_000
    with pytest.raises(AudioError):
        read_audio(path, 0.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")],
                         ids="-".join)  # fmt: skip
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
@settings(max_examples=examples(80))
def test_a_damaged_head_is_an_error_or_other_sound(
    tmp_path_factory: pytest.TempPathFactory, kind: tuple[str, str], at: int, junk: bytes
) -> None:
    """Whatever it claims then, no more is read than there is."""
    path = tmp_path_factory.getbasetemp() / f"damaged-{kind[0]}"
    write(path, tone(440, 16_000), 16_000, kind)
    content = bytearray(path.read_bytes())
    content[at : at + len(junk)] = junk
    path.write_bytes(content)
    read = read_or_refused(path)
    assert read is None or 0 < len(read) <= MAX_FILE_S * SAMPLE_RATE_HZ

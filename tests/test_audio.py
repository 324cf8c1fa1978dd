import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness import audio
from harness.audio import MAX_FILE_S, SAMPLE_RATE_HZ, read_audio, to_float, to_pcm16
from harness.errors import AudioError
from tests.profiles import examples

Floats = NDArray[np.floating]
RATES_HZ = (8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)
LOSSLESS = [
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("AIFF", "PCM_16"), ("CAF", "PCM_24"), ("W64", "FLOAT"),
    ("RF64", "PCM_16"), ("AU", "PCM_16"),
]  # fmt: skip
LOSSY = [("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
         ("MP3", "MPEG_LAYER_III")]  # fmt: skip


def tone(frequency_hz: float, rate_hz: int, length_s: float = 0.5, level: float = 0.5) -> Floats:
    at = np.arange(round(length_s * rate_hz)) / rate_hz
    return level * np.sin(2 * np.pi * frequency_hz * at)


def level_db(samples: NDArray[np.int16]) -> float:
    """RMS of the middle half, where no filter has just begun."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float) / 32768
    return float(10 * np.log10(np.mean(middle**2) + 1e-12))


def frequency_of(samples: NDArray[np.int16]) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / (1 << 18)


def write(path: Path, samples: Floats, rate_hz: int, kind: tuple[str, str]) -> Path:
    soundfile.write(path, samples, rate_hz, format=kind[0], subtype=kind[1])
    return path


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", LOSSLESS, ids="-".join)
def test_a_tone_keeps_its_pitch_level_and_length(
    tmp_path: Path, kind: tuple[str, str], rate_hz: int
) -> None:
    path = write(tmp_path / "tone", tone(1000, rate_hz), rate_hz, kind)
    read = read_audio(path)
    assert read.dtype == np.int16
    assert len(read) == round(rate_hz // 2 * SAMPLE_RATE_HZ / rate_hz)
    assert frequency_of(read) == pytest.approx(1000, abs=0.2)
    assert level_db(read) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)


@pytest.mark.parametrize("kind", LOSSY, ids="-".join)
def test_lossy_formats_are_read_too(tmp_path: Path, kind: tuple[str, str]) -> None:
    path = write(tmp_path / "tone", tone(1000, 48_000, length_s=1.0), 48_000, kind)
    read = read_audio(path)
    assert len(read) == pytest.approx(SAMPLE_RATE_HZ, rel=0.05)  # some add a block of silence
    assert frequency_of(read) == pytest.approx(1000, abs=1)
    assert level_db(read) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.5)


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("kind", [("WAV", "PCM_24"), ("FLAC", "PCM_16")], ids="-".join)
def test_channels_are_averaged(tmp_path: Path, kind: tuple[str, str], channels: int) -> None:
    levels = np.linspace(0.1, 0.6, channels)
    samples = tone(440, 44_100, level=1.0)[:, None] * levels
    read = read_audio(write(tmp_path / "many", samples, 44_100, kind))
    assert level_db(read) == pytest.approx(20 * np.log10(levels.mean() / np.sqrt(2)), abs=0.05)


def test_channels_out_of_phase_cancel(tmp_path: Path) -> None:
    samples = tone(440, 48_000)[:, None] * np.array([1, -1])
    read = read_audio(write(tmp_path / "phase", samples, 48_000, ("WAV", "FLOAT")))
    assert not read.any()


@pytest.mark.parametrize("kind", [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("AIFF", "PCM_16")],
                         ids="-".join)  # fmt: skip
@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=300))
@settings(max_examples=examples(25))
def test_what_is_in_our_format_stays_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, kind: tuple[str, str], values: list[int]
) -> None:
    samples = np.array(values, np.int16)
    path = tmp_path_factory.getbasetemp() / f"exact-{kind[0]}"
    soundfile.write(path, samples, SAMPLE_RATE_HZ, format=kind[0], subtype=kind[1])
    assert np.array_equal(read_audio(path), samples)


@given(st.integers(1, 5000), st.sampled_from(RATES_HZ))
@settings(max_examples=examples(100))
def test_the_length_is_exact(
    tmp_path_factory: pytest.TempPathFactory, frames: int, rate_hz: int
) -> None:
    """To the nearest sample; less than half a sample is nothing."""
    path = tmp_path_factory.getbasetemp() / "length.wav"
    soundfile.write(path, np.full(frames, 0.1), rate_hz, subtype="FLOAT")
    expected = frames * SAMPLE_RATE_HZ / rate_hz
    if expected < 0.5:
        with pytest.raises(AudioError, match="no sample"):
            read_audio(path)
    else:
        assert abs(len(read_audio(path)) - expected) <= 0.5


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_speech_frequencies_pass_evenly(tmp_path: Path, rate_hz: int) -> None:
    for frequency_hz in (60, 300, 1000, 3000, 5000, 7000):
        path = write(tmp_path / "pass.wav", tone(frequency_hz, rate_hz), rate_hz, ("WAV", "FLOAT"))
        expected_db = 20 * np.log10(0.5 / np.sqrt(2))
        assert level_db(read_audio(path)) == pytest.approx(expected_db, abs=0.05)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_higher_frequencies_leave_no_trace(tmp_path: Path, rate_hz: int) -> None:
    """Without a filter, 9 kHz would be heard at 7 kHz."""
    for frequency_hz in (8500, 9000, 12_000, 15_900, 20_000):
        path = write(tmp_path / "stop.wav", tone(frequency_hz, rate_hz), rate_hz, ("WAV", "FLOAT"))
        assert level_db(read_audio(path)) < -85


def test_blocks_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (30_011, 2))
    path = write(tmp_path / "blocks.flac", samples, 44_100, ("FLAC", "PCM_16"))
    whole = read_audio(path)
    monkeypatch.setattr(audio, "BLOCK", 977)
    assert np.array_equal(read_audio(path), whole)


@pytest.mark.slow
def test_a_long_file_needs_little_memory(tmp_path: Path) -> None:
    """A minute of this is 92 MB as floats."""
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 192_000, 2, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros((192_000, 2), np.int16))
    tracemalloc.start()
    read = read_audio(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read) == 60 * SAMPLE_RATE_HZ
    assert peak < 20 << 20


def test_a_part_can_be_read(tmp_path: Path) -> None:
    samples = np.arange(32_000, dtype=np.int16)
    path = tmp_path / "part.wav"
    soundfile.write(path, samples, SAMPLE_RATE_HZ)
    assert np.array_equal(read_audio(path, 0.5, 0.25), samples[8000:12_000])
    assert np.array_equal(read_audio(path, 1.0), samples[16_000:])
    assert np.array_equal(read_audio(path, 1.0, 1.005), samples[16_000:])  # manifests round


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


@given(st.lists(st.floats(-2, 2), max_size=50))
def test_floats_are_rounded_and_clipped(values: list[float]) -> None:
    expected = [min(32_767, max(-32_768, round(value * 32_768))) for value in values]
    assert to_pcm16(np.array(values, dtype=np.float64)).tolist() == expected


@given(st.lists(st.integers(-32_768, 32_767), max_size=50))
def test_samples_survive_a_round_trip(values: list[int]) -> None:
    pcm = np.array(values, "<i2")
    assert to_pcm16(to_float(pcm.tobytes())).tolist() == values


@pytest.mark.parametrize("count", [1, 3, 31])
def test_half_a_sample_is_refused(count: int) -> None:
    with pytest.raises(AudioError, match=f"{count} bytes"):
        to_float(bytes(count))

"""Reading audio of any format, rate and number of channels, and converting its samples."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness import audio
from harness.audio import SAMPLE_RATE_HZ, read_audio, to_float, to_pcm16
from harness.errors import AudioError
from tests.audio_files import tone, write
from tests.profiles import examples

RATES_HZ = (8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)
LOSSLESS = [
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("AIFF", "PCM_16"), ("CAF", "PCM_24"), ("W64", "FLOAT"),
    ("RF64", "PCM_16"), ("AU", "PCM_16"),
]  # fmt: skip
LOSSY = [("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
         ("MP3", "MPEG_LAYER_III")]  # fmt: skip


def level_db(samples: NDArray[np.int16]) -> float:
    """RMS of the middle half, where no filter has just begun."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float) / 32768
    return float(10 * np.log10(np.mean(middle**2) + 1e-12))


def frequency_of(samples: NDArray[np.int16]) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    return float(np.argmax(spectrum)) * SAMPLE_RATE_HZ / (1 << 18)


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

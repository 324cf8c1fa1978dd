"""PCM as the whole project carries it: 16 kHz, mono, 16-bit little-endian; and how to get there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from harness.errors import AudioError

SAMPLE_RATE_HZ: Final = 16_000
BYTES_PER_SAMPLE: Final = 2
FULL_SCALE: Final = 32_768.0
LONGEST_FILE_S: Final = 4 * 3600.0
"""A longer file is refused: it is read whole, and a lying header must not fill the memory."""

DURATION_SLACK_S: Final = 0.01
"""Manifests round."""

Pcm16 = NDArray[np.int16]
Samples = NDArray[np.float32]


def to_float(pcm: bytes) -> Samples:
    r"""Scale 16-bit PCM to floats.

    Args:
        pcm: Little-endian 16-bit mono samples.

    Returns:
        float32, shape (n,), in [-1, 1).

    Raises:
        AudioError: An odd number of bytes.

    >>> to_float(b"\x00\x40\x00\x80").tolist()
    [0.5, -1.0]
    """
    if len(pcm) % BYTES_PER_SAMPLE:
        raise AudioError("PCM", f"{len(pcm)} bytes", "whole 16-bit samples, so an even number")
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(FULL_SCALE)


def to_pcm16(samples: NDArray[np.floating], where: str = "samples") -> Pcm16:
    """Round floats to 16-bit PCM; what lies outside [-1, 1] is clipped, as a sound card does.

    Args:
        samples: Floats, shape (n,).
        where: What to call the audio in an error.

    Raises:
        AudioError: A sample is NaN or infinite.

    >>> to_pcm16(np.array([0.5, -2.0])).tolist()
    [16384, -32768]
    """
    finite = np.isfinite(samples)
    if not finite.all():
        at = int(np.argmin(finite))
        raise AudioError(where, f"sample {at} is {samples[at]}", "finite numbers in [-1, 1]")
    scaled = np.rint(samples * FULL_SCALE)
    clipped: Pcm16 = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clipped


def resample(samples: NDArray[np.floating], from_hz: int, to_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """Change the rate with soxr's high-quality filter; the length becomes n * to_hz / from_hz.

    >>> resample(np.zeros(44_100), 44_100).shape
    (16000,)
    """
    mono = np.ascontiguousarray(samples, dtype=np.float32)
    if from_hz == to_hz:
        return mono
    return np.asarray(soxr.resample(mono, from_hz, to_hz, quality="HQ"), dtype=np.float32)


def read_audio(path: Path, offset_s: float = 0.0, duration_s: float | None = None) -> Pcm16:
    """Read a sound file, whatever its rate, channels and sample format, as the project's PCM.

    Channels are averaged. A 16 kHz mono 16-bit file comes back unchanged, to the bit.

    Args:
        path: Any format that libsndfile reads.
        offset_s: Where to begin, in seconds of the file.
        duration_s: How much to read; to the end when None.

    Returns:
        int16, shape (n,), n > 0, at 16 kHz.

    Raises:
        AudioError: The file is missing, unreadable, empty, too long, shorter than asked for, or
            holds NaN.
    """
    where = str(path)
    if not path.is_file():
        raise AudioError(where, "no such file", "a sound file that libsndfile reads")
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz = file.samplerate
            available_s = file.frames / rate_hz
            if available_s > LONGEST_FILE_S and duration_s is None:
                raise AudioError(
                    where,
                    f"{available_s:.0f} s of audio",
                    f"at most {LONGEST_FILE_S:.0f} s a file, or an offset and duration",
                )
            file.seek(min(round(offset_s * rate_hz), file.frames))
            frames = -1 if duration_s is None else round(duration_s * rate_hz)
            whole = file.subtype == "PCM_16" and file.channels == 1 and rate_hz == SAMPLE_RATE_HZ
            data = file.read(frames, dtype="int16" if whole else "float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(
            where, f"not readable ({error})", "a format that libsndfile reads"
        ) from error
    if not len(data):
        raise AudioError(
            where,
            f"no sample from {offset_s} s on ({available_s:.3f} s in the file)",
            "at least one sample",
        )
    if duration_s is not None and len(data) < frames - DURATION_SLACK_S * rate_hz:
        raise AudioError(
            where,
            f"{len(data) / rate_hz:.3f} s from {offset_s} s on",
            f"the {duration_s} s that are declared",
        )
    if whole:
        return np.ascontiguousarray(data[:, 0])
    return to_pcm16(resample(data.mean(axis=1), rate_hz), where)


def concatenate(parts: Sequence[Samples]) -> Samples:
    """Join pieces of audio; nothing joined is an empty array.

    >>> concatenate([]).shape
    (0,)
    """
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)

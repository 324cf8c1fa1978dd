"""Reads audio and converts it to the project's PCM: 16 kHz, mono, 16-bit little-endian."""

import math
from collections.abc import Iterator
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
MAX_FILE_S: Final = 4 * 3600.0
"""A longer file is refused: it is read whole, and a wrong header must not fill the memory."""

SLOWEST_HZ, FASTEST_HZ = 4000, 384_000
"""Accepted sample rates: below, speech is lost; above, there are no microphones."""
BLOCK: Final = 1 << 18
"""Frames per read."""
DURATION_SLACK_S: Final = 0.01
"""Durations in manifests are rounded."""

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
    """Round floats to 16-bit PCM; values outside [-1, 1] are clipped, as a sound card does.

    Args:
        samples: Floats, shape (n,).
        where: The audio's name in an error.

    Raises:
        AudioError: A sample is NaN or infinite.

    >>> to_pcm16(np.array([0.5, -2.0])).tolist()
    [16384, -32768]
    """
    _require_finite(samples, where)
    scaled = np.rint(samples * FULL_SCALE)
    clipped: Pcm16 = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clipped


def _require_finite(samples: NDArray[np.floating], where: str, first: int = 0) -> None:
    finite = np.isfinite(samples)
    if not finite.all():
        at = int(np.argmin(finite))
        problem = f"sample {first + at} is {samples[at]}"
        raise AudioError(where, problem, "finite numbers in [-1, 1]")


def read_audio(
    path: Path,
    offset_s: float = 0.0,
    duration_s: float | None = None,
    *,
    slack_s: float = DURATION_SLACK_S,
) -> Pcm16:
    """Read a sound file of any rate, channel count and sample format as the project's PCM.

    Channels are averaged. The samples of a 16 kHz mono 16-bit file are returned unchanged.

    Args:
        path: Any format that libsndfile reads.
        offset_s: Where to begin, in seconds of the file.
        duration_s: Seconds to read; None reads to the end.
        slack_s: How much of that the file may lack at its end.

    Returns:
        int16, shape (n,), n > 0, at 16 kHz.

    Raises:
        AudioError: The file is missing, unreadable, empty, too long, shorter than asked for, or
            holds NaN.
    """
    where = str(path)
    if not path.is_file():
        raise AudioError(where, "no such file", "a sound file that libsndfile reads")
    if not (0 <= offset_s < math.inf and (duration_s is None or 0 < duration_s <= MAX_FILE_S)):
        problem = f"{duration_s} s from {offset_s} s on"
        raise AudioError(where, problem, f"up to {MAX_FILE_S:.0f} s, from 0 s on")
    try:
        with soundfile.SoundFile(path) as file:
            return _read(file, where, offset_s, duration_s, slack_s)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        # Headerless audio (by its name) is a TypeError, since its rate isn't known.
        allowed = "a format that libsndfile reads"
        raise AudioError(where, f"not readable ({error})", allowed) from error


def _read(
    file: soundfile.SoundFile, where: str, offset_s: float, duration_s: float | None, slack_s: float
) -> Pcm16:
    rate_hz = file.samplerate
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise AudioError(where, f"{rate_hz} Hz", f"{SLOWEST_HZ} to {FASTEST_HZ} Hz")
    available_s = file.frames / rate_hz
    if available_s > MAX_FILE_S and duration_s is None:
        allowed = f"at most {MAX_FILE_S:.0f} s per file, or an offset and duration"
        raise AudioError(where, f"{available_s:.0f} s of audio", allowed)
    begin = min(round(offset_s * rate_hz), file.frames)
    frames = file.frames - begin if duration_s is None else round(duration_s * rate_hz)
    file.seek(begin)
    is_ours = (file.subtype, file.channels, rate_hz) == ("PCM_16", 1, SAMPLE_RATE_HZ)
    pcm = _copied(file, frames) if is_ours else _converted(file, frames, where)
    read_s = (file.tell() - begin) / rate_hz
    if not len(pcm):
        problem = f"no sample from {offset_s} s on ({available_s:.3f} s in the file)"
        raise AudioError(where, problem, "at least one sample")
    if duration_s is not None and read_s < duration_s - slack_s:
        problem = f"{read_s:.3f} s from {offset_s} s on"
        raise AudioError(where, problem, f"the {duration_s} s that are declared")
    return pcm


def _copied(file: soundfile.SoundFile, frames: int) -> Pcm16:
    blocks = [block[:, 0] for block in _blocks(file, frames, "int16")]
    return np.concatenate([np.zeros(0, np.int16), *blocks])


def _converted(file: soundfile.SoundFile, frames: int, where: str) -> Pcm16:
    """Average and resample block by block, since an hour of stereo takes much memory."""
    rate_hz, done = file.samplerate, 0
    resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    parts = [np.zeros(0, np.int16)]
    for block in _blocks(file, frames, "float32"):
        mono = block.mean(axis=1)
        _require_finite(mono, where, done)
        done += len(mono)
        parts.append(
            to_pcm16(mono if rate_hz == SAMPLE_RATE_HZ else resampler.resample_chunk(mono))
        )
    if rate_hz != SAMPLE_RATE_HZ:
        parts.append(to_pcm16(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    return np.concatenate(parts)


def _blocks(
    file: soundfile.SoundFile, frames: int, dtype: str
) -> Iterator[NDArray[np.floating | np.int16]]:
    while frames > 0:
        block = file.read(min(frames, BLOCK), dtype=dtype, always_2d=True)
        if not len(block):
            return
        frames -= len(block)
        yield block

"""Audio with a known truth: bursts that come and go as syllables do, noise, silence, and cuts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ, Samples
from harness.contract import AudioAccount
from providers.streaming.segmenter import Limits, Segmenter, Window

SYLLABLES_HZ = 4.0


@dataclass(frozen=True)
class Piece:
    """A stretch of audio; `level_db` is None for digital silence."""

    is_speech: bool
    length_s: float
    level_db: float | None


def samples_of(length_s: float) -> int:
    return round(length_s * SAMPLE_RATE_HZ)


def noise(length: int, level_db: float, seed: int = 0) -> Samples:
    generator = np.random.default_rng(seed)
    return np.float32(10 ** (level_db / 20)) * generator.standard_normal(length, dtype=np.float32)


def speech(length: int, level_db: float = -20.0, seed: int = 0) -> Samples:
    """Noise that swells and fades four times a second, as speech does."""
    at_s = np.arange(length) / SAMPLE_RATE_HZ
    swell = np.maximum(0.05, np.cos(np.pi * SYLLABLES_HZ * at_s) ** 2)
    return np.asarray(noise(length, level_db, seed) * swell, dtype=np.float32)


def tone(length: int, frequency_hz: float, level_db: float = -20.0) -> Samples:
    at_s = np.arange(length) / SAMPLE_RATE_HZ
    wave = np.sqrt(2) * 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * at_s)
    return np.asarray(wave, dtype=np.float32)


def render(pieces: Sequence[Piece]) -> Samples:
    parts = []
    for seed, piece in enumerate(pieces):
        length = samples_of(piece.length_s)
        if piece.level_db is None:
            parts.append(np.zeros(length, np.float32))
        elif piece.is_speech:
            parts.append(speech(length, piece.level_db, seed))
        else:
            parts.append(noise(length, piece.level_db, seed))
    return np.concatenate([np.zeros(0, np.float32), *parts])


def cut(samples: Samples, sizes: Sequence[int]) -> Iterator[Samples]:
    """Cut into pieces of the sizes given, which go round."""
    at, turn = 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        yield samples[at : at + size]
        at, turn = at + size, turn + 1


def windows_of(
    segmenter: Segmenter, samples: Samples, sizes: Sequence[int] = (SAMPLE_RATE_HZ,)
) -> list[Window]:
    """Push all, flush, settle all; return the windows."""
    windows = [window for piece in cut(samples, sizes) for window in segmenter.push(piece)]
    windows += segmenter.flush()
    for window in windows:
        segmenter.settle(window, decoded=window.has_new_speech)
    return windows


LIMITS = Limits(longest_s=4.0)
"""Short, so that little audio shows what happens to long segments."""

pieces = st.lists(
    st.one_of(
        st.builds(Piece, st.just(True), st.floats(0.02, 7.0), st.floats(-30, -6)),
        st.builds(Piece, st.just(False), st.floats(0.02, 4.0), st.floats(-75, -65)),
        st.builds(Piece, st.just(False), st.floats(0.02, 4.0), st.none()),
    ),
    max_size=6,
)
chunk_sizes = st.lists(st.integers(2_000, 48_000), min_size=1, max_size=4)
"""What an app would stream; each chunk may cost a decode."""
push_sizes = st.lists(
    st.one_of(st.integers(1, 400), st.integers(400, 40_000)), min_size=1, max_size=5
).filter(lambda sizes: sum(sizes) / len(sizes) > 300)  # so that no example takes for ever


def segmenter(limits: Limits = LIMITS) -> Segmenter:
    return Segmenter(limits, AudioAccount())


def finals(windows: list[Window]) -> list[tuple[int, int, int]]:
    return [(window.segment_id, window.begin, window.end)
            for window in windows if window.is_final]  # fmt: skip


def covered(windows: list[Window], length: int) -> list[bool]:
    mask = np.zeros(length, bool)
    for window in windows:
        mask[window.begin : window.end] = True
    return list(mask)

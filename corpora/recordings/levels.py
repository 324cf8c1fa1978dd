"""Levels of a stretch of a sound file, measured on its own samples, before anything is scaled."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.audio import Samples

FRAME_S = 0.02
BLOCK_S = 10.0
FLOOR_DBFS = -120.0
"""Stands for digital silence."""

Levels = NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """What the samples of a stretch are like; amplitudes are shares of full scale."""

    samples: int
    """How many there are per channel."""
    frame_levels_dbfs: Levels
    """One per whole frame of 20 ms, of the channels' average."""
    channel_power: float
    """Mean square of a channel's samples, summed over the channels."""
    power: float
    """Mean square of the channels' average."""
    peak: float
    beyond: int
    """How many samples lie outside of full scale."""
    not_finite: int | None
    """The first sample that is NaN or infinite."""

    @property
    def level_dbfs(self) -> float:
        """The level of the loudest second, wherever its frames lie, so that pauses don't count."""
        return loud_dbfs(self.frame_levels_dbfs, round(1 / FRAME_S))

    def silences(self, below_db: float, shortest_s: float) -> list[tuple[float, float]]:
        """Stretches, in seconds, that are quieter than the loudest second by so much."""
        quiet = np.concatenate([[0], self.frame_levels_dbfs < self.level_dbfs - below_db, [0]])
        turns = np.flatnonzero(np.diff(quiet)) * FRAME_S
        return [(float(begin_s), float(end_s)) for begin_s, end_s in turns.reshape(-1, 2)
                if end_s - begin_s >= shortest_s]  # fmt: skip


def loud_dbfs(levels_dbfs: Levels, frames: int) -> float:
    """The mean level of the loudest frames.

    >>> loud_dbfs(np.array([-120.0, -20, -20, -60]), 2)
    -20.0
    """
    loudest = np.sort(levels_dbfs)[-frames:]
    return dbfs(float(np.mean(10 ** (loudest / 10)))) if len(loudest) else FLOOR_DBFS


def dbfs(power: float) -> float:
    """A mean square as a level.

    >>> dbfs(0.01), dbfs(0.0)
    (-20.0, -120.0)
    """
    return float(10 * np.log10(max(power, 10 ** (FLOOR_DBFS / 10))))


def measure(file: soundfile.SoundFile, first: int, samples: int) -> Signal:
    """Measure a stretch of an open file, block by block; it may end before the stretch does."""
    frame = max(1, round(file.samplerate * FRAME_S))
    read, power, channel_power, peak, beyond = 0, 0.0, 0.0, 0.0, 0
    not_finite: int | None = None
    levels = [np.zeros(0)]
    file.seek(first)
    for block in _blocks(file, samples, frame * round(BLOCK_S / FRAME_S)):
        mono = sum(block.T) / block.shape[1]  # many times faster than the mean along a short axis
        energy = float(np.vdot(block, block))
        if not np.isfinite(energy) and not_finite is None and not np.isfinite(block).all():
            not_finite = read + int(np.argmin(np.isfinite(block).all(axis=1)))
        read += len(block)
        channel_power += energy
        power += energy if block.shape[1] == 1 else float(np.vdot(mono, mono))
        most = float(max(block.max(), -block.min()))
        peak = max(peak, most)
        if most > 1:
            beyond += int((np.abs(block) > 1).sum())
        whole = mono[: len(mono) // frame * frame].reshape(-1, frame)
        squares = np.einsum("ij,ij->i", whole, whole, dtype=np.float64) / frame
        levels.append(10 * np.log10(np.maximum(squares, 10 ** (FLOOR_DBFS / 10))))
    count = max(read, 1)
    return Signal(
        samples=read,
        frame_levels_dbfs=np.concatenate(levels),
        channel_power=channel_power / count,
        power=power / count,
        peak=peak,
        beyond=beyond,
        not_finite=not_finite,
    )


def _blocks(file: soundfile.SoundFile, samples: int, most: int) -> Iterator[Samples]:
    while samples > 0:
        block = file.read(min(samples, most), dtype="float32", always_2d=True)
        if not len(block):
            return
        samples -= len(block)
        yield block

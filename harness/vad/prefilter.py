"""Filters silence out of captured audio before the queue."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.audio import FULL_SCALE, Pcm16, Samples
from harness.vad.detector import WINDOW, Detector
from harness.vad.gate import Gate, GateSettings

TOGETHER = 8
"""Windows that are judged together during silence: a quarter of a second. Smaller groups cost
twice as much, and chunks are usually longer than this."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of audio that was let through or filtered out."""

    first_sample: int
    pcm: Pcm16
    is_speech: bool
    ends: bool = False
    """Whether the gate closed after it."""


class PreFilter:
    """Cuts one source's audio into stretches; every sample is in exactly one of them.

    Args:
        detector: This source's own detector.
        settings: Thresholds of the gate.
    """

    def __init__(self, detector: Detector, settings: GateSettings | None = None) -> None:
        self.cpu_s = 0.0
        self.bypassed = False
        """Whether everything is let through without detection."""
        self.percent: list[int] = []
        """Probabilities since they were last taken, in per cent."""
        self.judged = 0
        """Samples that have passed the detector or bypassed it."""
        self._detector, self._gate = detector, Gate(settings)
        self._received = self._given = 0
        self._pending = np.zeros(0, np.int16)  # the samples from _given on

    def push(self, pcm: Pcm16) -> Iterator[Stretch]:
        """Take the next samples, and yield the stretches that are decided now.

        Args:
            pcm: int16, shape (n,), 16 kHz.
        """
        self._pending = np.concatenate([self._pending, pcm])
        self._received += len(pcm)
        if self.bypassed:
            self.judged = self._received
            yield from self._give(self._received, is_speech=True)
            return
        waiting = (self._received - self.judged) // WINDOW
        if waiting >= (1 if self._gate.is_open else TOGETHER):
            yield from self._sort(waiting)

    def finish(self) -> Iterator[Stretch]:
        """Yield the rest; an incomplete last window is treated like the window before it."""
        if (waiting := (self._received - self.judged) // WINDOW) > 0:
            yield from self._sort(waiting)
        yield from self._give(self._received, is_speech=self._gate.is_open, ends=True)

    def _sort(self, count: int) -> Iterator[Stretch]:
        """Judge so many windows, and yield the stretches that are decided then."""
        begin = self.judged - self._given
        windows = self._pending[begin : begin + count * WINDOW]
        for probability in self._judge(windows.astype(np.float32) / np.float32(FULL_SCALE)):
            self.judged += WINDOW
            move = self._gate.decide(probability)
            if move == "keep":
                yield from self._give(self.judged - self._kept_back, is_speech=False)
            elif move == "open":
                yield from self._give(self.judged - self._kept_back - WINDOW, is_speech=False)
            elif move == "close":
                yield from self._give(self.judged, is_speech=True, ends=True)
        if self._gate.is_open:
            yield from self._give(self.judged, is_speech=True)

    @property
    def _kept_back(self) -> int:
        return self._gate.kept_back * WINDOW

    def _judge(self, samples: Samples) -> list[float]:
        begin_s = time.thread_time()
        probabilities = self._detector.probabilities(samples)
        self.cpu_s += time.thread_time() - begin_s
        self.percent += [round(100 * probability) for probability in probabilities]
        return probabilities

    def _give(self, end: int, *, is_speech: bool, ends: bool = False) -> Iterator[Stretch]:
        count = end - self._given
        if count <= 0:
            return
        pcm, self._pending = self._pending[:count], self._pending[count:]
        first, self._given = self._given, end
        yield Stretch(first, pcm, is_speech, ends)

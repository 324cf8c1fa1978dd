"""Recognises words that are tones, as the corpora that tests write have them.

So what a loopback service answers depends on every sample that reached it: audio that is lost,
doubled, out of order or resampled wrongly gives another text.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.01
QUIET = 0.0035
"""RMS below which a frame is silence; the dip between two tones of a sentence is enough."""
MAX_WORD_S = 0.4
SHORTEST_WORD_S = 0.03
TOLERANCE_HZ = 6.0
SPECTRUM = 1 << 15


class Ear:
    """Listens to one utterance.

    Args:
        rate_hz: Of the audio.
        lexicon: The words, by the frequency of their tones; another tone is a "hum" of so many Hz.
    """

    def __init__(self, rate_hz: int, lexicon: Mapping[float, str]) -> None:
        self.samples = 0
        self._rate_hz, self._lexicon = rate_hz, lexicon
        self._frame = round(FRAME_S * rate_hz)
        self._rest = np.zeros(0, np.float32)
        self._burst: list[NDArray[np.float32]] = []

    def hear(self, pcm: bytes) -> Iterator[str]:
        """Take 16-bit PCM, and yield the words that are over now."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32_768
        self.samples += len(samples)
        heard = np.concatenate([self._rest, samples])
        whole = len(heard) // self._frame * self._frame
        self._rest = heard[whole:]
        for frame in heard[:whole].reshape(-1, self._frame):
            loud = float(np.sqrt(np.mean(frame**2))) > QUIET
            if loud:
                self._burst.append(frame)
            if not loud or len(self._burst) * FRAME_S >= MAX_WORD_S:
                yield from self._word()

    def finish(self) -> Iterator[str]:
        """Yield the word that the audio broke off in, if any."""
        yield from self._word()

    def _word(self) -> Iterator[str]:
        burst, self._burst = self._burst, []
        if len(burst) * FRAME_S >= SHORTEST_WORD_S:
            spectrum = np.abs(np.fft.rfft(np.concatenate(burst), SPECTRUM))
            hz = float(np.argmax(spectrum)) * self._rate_hz / SPECTRUM
            nearest = min(self._lexicon, key=lambda known: abs(known - hz), default=None)
            near = nearest is not None and abs(nearest - hz) <= TOLERANCE_HZ
            yield self._lexicon[nearest] if near and nearest is not None else f"hum{hz:.0f}"

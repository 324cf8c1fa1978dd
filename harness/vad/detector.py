"""Computes the probability of speech in windows of audio, with Silero's network.

The network comes with faster-whisper, whose function resets the network's state at each call:
called window by window, it misjudges three windows of ten. Here the state is kept between calls,
which gives the same probabilities as the whole recording in one call.
"""

import importlib.util
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from harness.audio import Samples
from harness.errors import UnavailableError, UnknownNameError
from harness.requirements import Package
from harness.support.entry_points import load, registered

SILERO: Final = "silero"
WINDOW: Final = 512
"""Samples per window: 32 ms."""
CONTEXT: Final = 64
"""Samples before a window that are input to the network too."""
STATE_SHAPE: Final = (1, 1, 128)
NEEDS = (Package("onnxruntime", extra="vad"), Package("faster_whisper", extra="vad"))
FILE = "silero_vad_v6.onnx"


class Detector(Protocol):
    """Computes speech probabilities of one source's audio; keeps state between calls."""

    def probabilities(self, samples: Samples) -> list[float]:
        """Compute the probabilities of the next windows.

        Args:
            samples: float32 in [-1, 1), shape (n * WINDOW,).

        Returns:
            n probabilities of speech.
        """


def detectors() -> list[str]:
    """List the names of all detectors; imports none."""
    return [SILERO, *(point.name for point in registered("vads"))]


def make_detector(name: str = SILERO) -> Detector:
    """Make a detector for one source.

    Raises:
        UnavailableError: It lacks a package.
        UnknownNameError: There is no detector of that name.
    """
    if name == SILERO:
        return Silero()
    if name not in detectors():
        raise UnknownNameError("vad", name, detectors())
    detector: Detector = load(next(point for point in registered("vads") if point.name == name))()
    return detector


class Silero:
    """Silero's network, version 6, on one thread of the CPU."""

    def __init__(self) -> None:
        for need in NEEDS:
            if (missing := need.missing()) is not None:
                raise UnavailableError("vad silero", f"lacks {missing}", need.remedy())
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(_network()), options, providers=["CPUExecutionProvider"]
        )
        self._h = self._c = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def probabilities(self, samples: Samples) -> list[float]:
        """See `Detector`."""
        if not len(samples):
            return []
        windows = np.empty((len(samples) // WINDOW, CONTEXT + WINDOW), np.float32)
        windows[:, CONTEXT:] = samples.reshape(-1, WINDOW)
        windows[0, :CONTEXT] = self._context
        windows[1:, :CONTEXT] = windows[:-1, WINDOW:]  # the end of the window before
        self._context = samples[-CONTEXT:]
        inputs = {"input": windows, "h": self._h, "c": self._c}
        found, self._h, self._c = self._session.run(None, inputs)
        return np.asarray(found, float).reshape(-1).tolist()


def _network() -> Path:
    """Find the network's file without importing faster-whisper, which takes a second."""
    spec = importlib.util.find_spec("faster_whisper")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        if (path := Path(folder) / "assets" / FILE).is_file():
            return path
    raise UnavailableError("vad silero", f"faster-whisper has no {FILE}", NEEDS[1].remedy())


def filter_named(asked: str) -> str | None:
    """Check the name of a detector; None for "off".

    Raises:
        UnknownNameError: There is no detector of that name.
    """
    if asked == "off":
        return None
    if asked not in detectors():
        raise UnknownNameError("--vad", asked, ["off", *detectors()])
    return asked

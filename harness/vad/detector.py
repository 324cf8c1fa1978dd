"""How likely a window of audio is speech, as Silero's network sees it.

The network comes with faster-whisper, which wraps it in a function without memory: called window by
window it starts from nothing each time, and is wrong in three windows of ten. Here it keeps its
state from call to call, which gives the same numbers as the whole recording at once.
"""

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from harness.audio import Samples
from harness.errors import UnavailableError, UnknownNameError
from harness.requirements import Package

SILERO: Final = "silero"
WINDOW: Final = 512
"""Samples that are judged together: 32 ms."""
CONTEXT: Final = 64
"""Samples before them that the network hears too."""
STATE_SHAPE: Final = (1, 1, 128)
NEEDS = (Package("onnxruntime", extra="vad"), Package("faster_whisper", extra="vad"))
FILE = "silero_vad_v6.onnx"


class Detector(Protocol):
    """Judges one source's audio; remembers what it heard."""

    def probabilities(self, samples: Samples) -> list[float]:
        """Judge the next windows.

        Args:
            samples: float32 in [-1, 1), shape (n * WINDOW,).

        Returns:
            n probabilities of speech.
        """


def detectors() -> list[str]:
    """The names of all detectors; imports none."""
    return [SILERO, *(point.name for point in entry_points(group="echobench.vads"))]


def make_detector(name: str = SILERO) -> Detector:
    """Make a detector for one source.

    Raises:
        UnavailableError: It lacks a package.
        UnknownNameError: There is none of that name.
    """
    if name == SILERO:
        return Silero()
    if name not in detectors():
        raise UnknownNameError("vad", name, detectors())
    (point,) = entry_points(group="echobench.vads", name=name)
    detector: Detector = point.load()()
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
        windows[1:, :CONTEXT] = windows[:-1, WINDOW:]  # each hears the end of the one before
        self._context = samples[-CONTEXT:]
        inputs = {"input": windows, "h": self._h, "c": self._c}
        found, self._h, self._c = self._session.run(None, inputs)
        return np.asarray(found, float).reshape(-1).tolist()


def _network() -> Path:
    """Find the file without importing faster-whisper, which takes a second."""
    spec = importlib.util.find_spec("faster_whisper")
    folders = (spec.submodule_search_locations if spec else None) or []
    for folder in folders:
        if (path := Path(folder) / "assets" / FILE).is_file():
            return path
    raise UnavailableError("vad silero", f"faster-whisper has no {FILE}", NEEDS[1].remedy())


def filter_named(asked: str) -> str | None:
    """A filter by its name; None for "off".

    Raises:
        UnknownNameError: There is no such filter.
    """
    if asked == "off":
        return None
    if asked not in detectors():
        raise UnknownNameError("--vad", asked, ["off", *detectors()])
    return asked

"""Voice activity detection: the detector, the gate, and the filter before the queue.

A detector is any class with the methods of `Detector`; the built-in one is Silero's. Packages add
others by an entry point in the group `echobench.vads`.
"""

from harness.vad.detector import Detector, make_detector
from harness.vad.gate import Gate, GateSettings
from harness.vad.prefilter import PreFilter

__all__ = ["Detector", "Gate", "GateSettings", "PreFilter", "make_detector"]

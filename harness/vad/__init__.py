"""Deciding what is speech: a detector, a gate that decides by it, and the filter before the queue.

A detector is anything with `WINDOW` samples a window and `probabilities(samples)`; the one that is
used is Silero's. Others may be registered by an entry point in the group `echobench.vads`.
"""

from harness.vad.detector import Detector, make_detector
from harness.vad.gate import Gate, GateSettings
from harness.vad.prefilter import PreFilter

__all__ = ["Detector", "Gate", "GateSettings", "PreFilter", "make_detector"]

"""Defines the options of a run."""

from typing import Literal

import msgspec

from harness.clock import ClockKind
from harness.specs.trial import Transport


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run, as given; kept in `run.json`, so that a run can be resumed."""

    providers: tuple[str, ...] = ()
    """Names, each optionally with options: `faster_whisper:device=cuda:beam_size=5`."""
    models: tuple[str, ...] = ()
    chunk_seconds: tuple[float, ...] = (2.0,)
    scenarios: tuple[str, ...] = ("speech_heavy", "two_sources", "silence_heavy", "markers")
    duration_s: float | None = None
    clock: ClockKind | None = None
    transport: Transport = Transport.IN_PROCESS
    gate: Literal["target", "minimum"] = "minimum"
    strict: bool = False
    """Whether a figure that can't be judged fails the run."""
    corpus: str | None = None
    vad: str | None = None
    """A detector's name, or `off`; None leaves it to the scenario."""
    thresholds: str | None = None
    seed: int = 1

"""Settings of a session that don't depend on its provider and sources."""

from dataclasses import dataclass

from harness.meters.meters import Meters
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.specs.trial import TrialSpec


@dataclass(frozen=True)
class SessionSettings:
    """Settings of a session, chosen by a trial or by the user of a live server."""

    chunk_seconds: float
    queue_s: float
    """Seconds of audio that may wait behind a source's newest chunk."""
    timeouts: Timeouts = DEFAULT
    """How long the provider may take to answer and to stop."""
    vad: str | None = None
    """The detector that filters silence out before the queue; None for no filter."""
    meters: Meters | None = None
    """Meters of the process and the machine, where sessions share them."""

    @classmethod
    def of_trial(
        cls, spec: TrialSpec, timeouts: Timeouts, meters: Meters | None = None
    ) -> "SessionSettings":
        """The settings that a trial asks for."""
        return cls(spec.chunk_seconds, spec.scenario.queue_s, timeouts, spec.vad, meters)

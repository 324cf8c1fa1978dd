"""How a session is held, whatever its provider and its sources are."""

from dataclasses import dataclass

from harness.meters.meters import Meters
from harness.provider.timeouts import DEFAULT, Timeouts
from harness.specs.trial import TrialSpec


@dataclass(frozen=True)
class SessionSettings:
    """What was chosen for a session: by a trial, or by the user of a live server."""

    chunk_seconds: float
    queue_s: float
    """Audio that may wait behind a source's newest chunk."""
    timeouts: Timeouts = DEFAULT
    """How long the provider may take to answer and to stop."""
    vad: str | None = None
    """The detector that filters silence out before the queue; None for no filter."""
    meters: Meters | None = None
    """What looks at the process and the machine, where sessions share it."""

    @classmethod
    def of_trial(
        cls, spec: TrialSpec, timeouts: Timeouts, meters: Meters | None = None
    ) -> "SessionSettings":
        """What a trial chooses."""
        return cls(spec.chunk_seconds, spec.scenario.queue_s, timeouts, spec.vad, meters)

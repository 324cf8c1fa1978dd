"""When a trial's figures mean nothing, whatever the provider did."""

import sys
from collections.abc import Sequence

from harness.events import Event, Played

LATENESS_S = 0.010 if sys.platform == "darwin" else 0.005
"""A buffer may come this late, or 5 % of a chunk if that is more."""
LATENESS_SHARE = 0.05


def feeder_problem(events: Sequence[Event], chunk_seconds: float) -> str | None:
    """Say whether the machine was too busy to play the audio on time.

    Captured audio that comes late makes every latency look shorter than it was.

    Args:
        events: Those of one trial.
        chunk_seconds: The trial's.

    Returns:
        What is wrong; None when the audio came on time.
    """
    played = [event.late_p99_s for event in events if isinstance(event, Played)]
    limit_s = max(LATENESS_S, LATENESS_SHARE * chunk_seconds)
    p99_s = max(played, default=0.0)
    if p99_s <= limit_s:
        return None
    return (
        f"the audio was played up to {p99_s * 1000:.0f} ms late (p99; {limit_s * 1000:.0f} ms are "
        "allowed): the machine was too busy"
    )

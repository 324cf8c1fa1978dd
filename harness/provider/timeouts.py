"""How long a run waits for a provider before it takes it for stuck.

The defaults suit large models on slow disks. For a slower machine, or to be sooner done with a
provider that hangs, set some of them in the environment variable `ECHOBENCH_TIMEOUTS`, as JSON:

    ECHOBENCH_TIMEOUTS='{"load_s": 3600, "answer_s": 300}'
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from harness.support.env_settings import setting

VARIABLE = "ECHOBENCH_TIMEOUTS"
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits in seconds; the run waits by the wall's clock, the worker by the trial's."""

    load_s: Seconds = 900.0
    """For a worker to load a model and recognise a first utterance."""
    silence_s: Seconds = 150.0
    """For a worker to send an event. It reports every second, and finds stuck providers by itself
    unless it is stuck too; so this is longer than the two below together."""
    answer_s: Seconds = 60.0
    """For a provider that has audio to take more of it, or to say something."""
    stop_s: Seconds = 30.0
    """For a provider to end its session."""


DEFAULT = Timeouts()


def timeouts_from_env() -> Timeouts:
    """Read the environment variable; the defaults where it is not set.

    Raises:
        UsageError: It isn't JSON, or names something else.
    """
    return setting(VARIABLE, DEFAULT, "seconds")

"""Defines how long a run waits for a provider, and reads it from the environment.

The defaults suit large models on slow disks. For a slower machine, or to detect a hanging provider
sooner, set some of them in the environment variable `ECHOBENCH_TIMEOUTS`, as JSON:

    ECHOBENCH_TIMEOUTS='{"load_s": 3600, "answer_s": 300}'
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from harness.support.env_settings import setting

VARIABLE = "ECHOBENCH_TIMEOUTS"
Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits in seconds; the run waits on the wall clock, the worker on the trial's clock."""

    load_s: Seconds = 900.0
    """For a worker to load a model and recognise a first utterance."""
    silence_s: Seconds = 150.0
    """For a worker to send an event. A worker that isn't blocked sends one every second and detects
    a hanging provider itself; so this is longer than the sum of the two limits below."""
    answer_s: Seconds = 60.0
    """For a provider that has audio to take more of it, or to yield a segment."""
    stop_s: Seconds = 30.0
    """For a provider to end its session."""


DEFAULT = Timeouts()


def timeouts_from_env() -> Timeouts:
    """Read the timeouts from the environment variable; the defaults where it isn't set.

    Raises:
        UsageError: It isn't JSON, or has an unknown or invalid limit.
    """
    return setting(VARIABLE, DEFAULT, "seconds")

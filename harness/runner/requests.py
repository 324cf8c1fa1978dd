"""Requests of a run to its worker, as JSON; events answer them, the last one a `TrialEnded`."""

import msgspec

from harness.contract import Option
from harness.provider.timeouts import Timeouts
from harness.specs.trial import TrialSpec


class Load(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="load"):
    """Load the provider's model, and recognise a first utterance."""

    provider: str
    model: str
    settings: dict[str, Option]
    corpus: str
    spawned_at_s: float
    """When the worker was started, on the machine's monotonic clock."""
    timeouts: Timeouts


class Measure(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="measure"):
    """Run a trial on the resident model, whatever its activity."""

    spec: TrialSpec


class Infer(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="infer"):
    """Recognise one chunk of speech, for the per-chunk benchmark."""

    chunk_seconds: float


Request = Load | Measure | Infer

"""Specifies a trial (one provider, model and chunk size in one scenario) and how it may end."""

import hashlib
from enum import StrEnum

import msgspec

from harness import errors
from harness.clock import ClockKind
from harness.contract import Option
from harness.errors import EchobenchError
from harness.specs.scenario import Scenario


class TrialStatus(StrEnum):
    """How a trial ended; only `OK` has figures."""

    OK = "ok"
    PROVIDER_CRASH = "provider_crash"
    """The worker process died: by a signal or an unexpected exit."""
    PROVIDER_ERROR = "provider_error"
    """The provider raised an error."""
    TIMEOUT = "timeout"
    """There was no progress for longer than allowed."""
    BAD_OUTPUT = "bad_output"
    """The provider, or its process, sent something that the contract doesn't allow."""
    BAD_INPUT = "bad_input"
    """The audio, the model file or an option can't be used."""
    UNSUPPORTED = "unsupported"
    """The provider can't do what was asked on this machine."""
    VOID = "void"
    """Its conditions made it invalid (`harness.runner.validity`): flagged, not judged."""
    HARNESS_ERROR = "harness_error"
    """The harness itself failed."""
    INTERRUPTED = "interrupted"


_STATUS_OF = {
    errors.StalledError: TrialStatus.TIMEOUT,
    errors.BadOutputError: TrialStatus.BAD_OUTPUT,
    errors.ProviderError: TrialStatus.PROVIDER_ERROR,
    errors.UnavailableError: TrialStatus.UNSUPPORTED,
    errors.AudioError: TrialStatus.BAD_INPUT,
    errors.ModelError: TrialStatus.BAD_INPUT,
    errors.UsageError: TrialStatus.BAD_INPUT,
}
"""The first match counts, so a class stands before its base."""


def status_of(error: EchobenchError) -> TrialStatus:
    """The status of a trial that an error ended.

    >>> status_of(errors.StalledError("whisper_cpp", "no answer for 60 s")).value
    'timeout'
    """
    matches = (status for kind, status in _STATUS_OF.items() if isinstance(error, kind))
    return next(matches, TrialStatus.HARNESS_ERROR)


class Activity(StrEnum):
    """What a trial does with the provider."""

    SCENARIO = "scenario"
    """Play a scenario and record what happens."""
    CONFORMANCE = "conformance"
    """Check the rules of the contract."""
    RESIDENCY = "residency"
    """Look for signs that the model doesn't stay loaded, or that answers are cached."""
    LADDER = "ladder"
    """Overload the provider and record what the degrade ladder does."""
    LIVE = "live"
    """Caption the audio of a live server's client; there is no transcript to compare with."""


class Transport(StrEnum):
    """How audio is sent to the provider, and text back."""

    IN_PROCESS = "in_process"
    WS = "ws"
    """Over a WebSocket on this machine, through the live server; on the wall clock."""


class TrialSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a worker needs to run a trial."""

    provider: str
    model: str
    chunk_seconds: float
    scenario: Scenario
    corpus: str
    clock: ClockKind
    settings: dict[str, Option] = {}
    seed: int = 1
    activity: Activity = Activity.SCENARIO
    transport: Transport = Transport.IN_PROCESS
    vad: str | None = None
    """The detector that filters silence out before the queue; None for no filter."""

    @property
    def name(self) -> str:
        """The trial's name and test id: provider, its options, model, chunk size and scenario."""
        what = self.scenario.name if self.activity is Activity.SCENARIO else self.activity
        way = "" if self.transport is Transport.IN_PROCESS else f"-{self.transport}"
        return f"{self.subject}-{self.chunk_seconds:g}s-{what}{way}"

    @property
    def subject(self) -> str:
        """What is measured: provider, its options if any were given, and model."""
        options = "".join(f":{name}={value}" for name, value in self.settings.items())
        model = self.model.rstrip("/").rsplit("/", 1)[-1]
        return f"{self.provider}{options}-{model}"

    @property
    def key(self) -> str:
        """A hash of all fields; trials with the same key measure the same thing."""
        content = msgspec.json.encode(self, order="deterministic")
        return hashlib.sha256(content).hexdigest()[:16]

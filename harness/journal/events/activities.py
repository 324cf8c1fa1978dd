"""Events of what a trial does besides a scenario: tried rules and the residency probe."""

from enum import StrEnum

from harness.journal.events.base import Duration, Event


class RuleChecked(Event, frozen=True, tag="rule_checked"):
    """One rule of the contract was tried on the provider."""

    check: str
    passed: bool
    detail: str


class ResidencyPart(StrEnum):
    """What a chunk of the residency probe is there for."""

    STEADY = "steady"
    """Speech never heard before."""
    AGAIN = "again"
    """The very samples of an earlier chunk."""
    ALTERED = "altered"
    """The same speech, a little louder and noisier."""
    WARM_UP = "warm_up"
    """Before the two below; not judged."""
    COPY = "copy"
    """With a copy of the model's file, which is there."""
    VANISHED = "vanished"
    """The same chunks as in `COPY`, after that file has gone."""


class ResidencyChunk(Event, frozen=True, tag="residency_chunk"):
    """One chunk of the residency probe: a short stream of its own, and what it took."""

    part: ResidencyPart
    repeat: int
    index: int
    """Its place in its part; the lengths of the parts' chunks are the same at each repeat."""
    audio_s: Duration
    took_s: Duration
    """From handing it over to the end of the answer, on the trial's clock."""
    inference_s: Duration
    """What the engine took of that, as far as the provider tells."""
    text: str
    read_bytes: int | None
    """Bytes that the process tree read meanwhile; None where the system doesn't tell."""
    spawns: int
    files_created: int
    rss_bytes: int
    error: str = ""


class ResidencyEnded(Event, frozen=True, tag="residency_ended"):
    """What the probe knows of the model."""

    model_bytes: int | None
    """None where it has no file on this machine."""
    vanish: str = ""
    """Why the vanish test was left out, if it was."""

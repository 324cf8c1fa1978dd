"""Events of activities other than scenarios: checked rules and the residency probe."""

from enum import StrEnum

from harness.journal.events.base import Duration, Event


class RuleChecked(Event, frozen=True, tag="rule_checked"):
    """A rule was checked on the provider."""

    check: str
    passed: bool
    detail: str


class ResidencyPart(StrEnum):
    """The purpose of a chunk of the residency probe."""

    STEADY = "steady"
    """Speech that was not played before."""
    AGAIN = "again"
    """The same samples as an earlier chunk."""
    ALTERED = "altered"
    """The same speech, a little louder and noisier."""
    WARM_UP = "warm_up"
    """Before the two below; not judged."""
    COPY = "copy"
    """With a model that was loaded from a copy of its file, which still exists."""
    VANISHED = "vanished"
    """The same chunks as in `COPY`, after that copy was removed."""


class ResidencyChunk(Event, frozen=True, tag="residency_chunk"):
    """A chunk of the residency probe, streamed by itself, and the resources that it took."""

    part: ResidencyPart
    repeat: int
    index: int
    """Its number in its part; the chunks of a part have the same lengths in each repeat."""
    audio_s: Duration
    took_s: Duration
    """From handing it over to the end of the answer, on the trial's clock."""
    inference_s: Duration
    """The engine's share of that, as reported by the provider."""
    text: str
    read_bytes: int | None
    """Bytes that the process tree read meanwhile; None where the system doesn't report it."""
    spawns: int
    files_created: int
    rss_bytes: int
    error: str = ""


class ResidencyEnded(Event, frozen=True, tag="residency_ended"):
    """The residency probe ended."""

    model_bytes: int | None
    """None where it has no file on this machine."""
    vanish: str = ""
    """Why the vanish test was left out, if it was."""

"""Events of a trial as a whole: its start, the loading of its provider, and its end."""

from harness.contract import Interruption
from harness.journal.events.base import Duration, Event, Moment
from harness.specs.trial import TrialSpec, TrialStatus


class TrialStarted(Event, frozen=True, tag="trial_started"):
    """A trial began."""

    key: str
    spec: TrialSpec


class Loaded(Event, frozen=True, tag="loaded"):
    """The worker loaded its provider and recognised a first utterance; always on the wall clock.

    Each trial of the worker repeats this event, since the model was loaded only once.
    """

    spawn_s: Duration
    """From starting the process to its first message: the interpreter, not the provider."""
    load_s: Duration
    """Importing the engine and loading the model."""
    probe_s: Duration | None
    """From the first chunk of a first utterance to its first text; None if there was no text."""
    probe_text: str
    probe_inference_s: tuple[Duration, ...]
    """Of each inference of that utterance, in order, beginning with the provider's very first."""
    probe_window_s: tuple[Duration, ...]
    interruptions: tuple[Interruption, ...] = ()
    """Failures that were retried until then."""


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """The session stopped after every source was played and recognised."""

    at_s: Moment
    stop_s: Duration
    """How long `stop_session` took."""


class TrialEnded(Event, frozen=True, tag="trial_ended"):
    """A trial ended; a trial without this event doesn't count."""

    status: TrialStatus
    reason: str = ""
    wall_s: Duration = 0.0

"""Events of a trial as a whole: how it began, loaded its provider, and ended."""

from harness.contract import Interruption
from harness.journal.events.base import Duration, Event, Moment
from harness.specs.trial import TrialSpec, TrialStatus


class TrialStarted(Event, frozen=True, tag="trial_started"):
    """A trial begins."""

    key: str
    spec: TrialSpec


class Loaded(Event, frozen=True, tag="loaded"):
    """The worker's provider answered for the first time; on the wall clock, always.

    Each trial of the worker repeats it, since its model was loaded only once.
    """

    spawn_s: Duration
    """From starting the process to its first word: the interpreter, not the provider."""
    load_s: Duration
    """Importing the engine and loading the model."""
    probe_s: Duration | None
    """From the first chunk of a first utterance to its first text; None if it got none."""
    probe_text: str
    probe_inference_s: tuple[Duration, ...]
    """Of each inference of that utterance, in order; the first one ever is the first."""
    probe_window_s: tuple[Duration, ...]
    interruptions: tuple[Interruption, ...] = ()
    """What failed and was tried again until then."""


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """Every source was played and answered, and the session stopped."""

    at_s: Moment
    stop_s: Duration
    """How long `stop_session` took."""


class TrialEnded(Event, frozen=True, tag="trial_ended"):
    """A trial is over; a trial without this event never happened."""

    status: TrialStatus
    reason: str = ""
    wall_s: Duration = 0.0

"""Emits what a provider's engine does as events of the session."""

from collections.abc import Callable

import msgspec

from harness.contract import InferenceSpan, Interruption, Observer
from harness.journal.events import Event, Inferred, Interrupted


class EngineEvents(Observer):
    """Emits inferences and interruptions between the session's beginning and its end.

    What the engine does while it loads, and after the last answer, belongs to no trial.

    Args:
        emit: Takes the events, from any thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._origin_s: float | None = None

    def begin(self, origin_s: float) -> None:
        """Begin; the session's zero on the running clock is known."""
        self._origin_s = origin_s

    def end(self) -> None:
        """Ignore what follows."""
        self._origin_s = None

    def inferred(self, span: InferenceSpan) -> None:
        """See `Observer`."""
        self._emit_in_session_time(Inferred(**msgspec.structs.asdict(span)))

    def interrupted(self, interruption: Interruption) -> None:
        """See `Observer`."""
        self._emit_in_session_time(Interrupted(**msgspec.structs.asdict(interruption)))

    def _emit_in_session_time(self, event: Event) -> None:
        if (origin_s := self._origin_s) is not None:
            self._emit(event.shifted(-origin_s))

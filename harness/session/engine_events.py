"""Turns a provider's inferences and interruptions into events of the session."""

from collections.abc import Callable

import msgspec

from harness.contract import InferenceSpan, Interruption, Observer
from harness.journal.events import Event, Inferred, Interrupted


class EngineEvents(Observer):
    """Emits inferences and interruptions between the beginning and the end of a session.

    Loading and whatever follows the last answer belong to no trial.

    Args:
        emit: Takes the events, from any thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._origin_s: float | None = None

    def begin(self, origin_s: float) -> None:
        """Begin to emit, with times relative to the session's zero on the running clock."""
        self._origin_s = origin_s

    def end(self) -> None:
        """Stop emitting."""
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

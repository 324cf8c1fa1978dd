"""The base class of events, which can shift an event in time."""

from functools import cache
from typing import Annotated, Self, get_type_hints

import msgspec

Moment = Annotated[float, "moment"]
"""A point in time: seconds on the trial's clock since its first sample was captured."""
Duration = Annotated[float, "duration"]
"""A length of time in seconds; not shifted."""


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    """Base of all events; the journal has the kind of an event in `kind`."""

    def shifted(self, by_s: float) -> Self:
        """Copy the event with every `Moment` in it shifted by so many seconds."""
        moments = {name: getattr(self, name) + by_s for name in moments_of(type(self))}
        return msgspec.structs.replace(self, **moments) if moments else self


@cache
def moments_of(kind: type[Event]) -> tuple[str, ...]:
    """List the names of the fields that are points in time."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name, hint in hints.items() if hint == Moment)

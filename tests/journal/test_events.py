"""Every time in an event is either moved with the event or declared a length of time."""

from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from harness.contract import AudioSource
from harness.journal.events import (
    AnyEvent,
    Backpressure,
    Duration,
    Event,
    Inferred,
    Moment,
    Queued,
    RuleChecked,
)
from harness.journal.events.base import moments_of

KINDS: tuple[type[Event], ...] = get_args(AnyEvent)


def parts(hint: Any) -> list[Any]:
    """A type and all that it is made of, down to the declared times."""
    if hint in (Moment, Duration):
        return [hint]
    return [hint, *(part for inner in get_args(hint) for part in parts(inner))]


def test_the_journal_knows_every_event_there_is() -> None:
    def all_of(kind: type[Event]) -> set[type[Event]]:
        below = kind.__subclasses__()
        return {*below, *(each for sub in below for each in all_of(sub))}

    assert {kind for kind in all_of(Event) if kind.__module__.startswith("harness.")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_time_says_whether_it_is_a_moment(kind: type[Event]) -> None:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        declared = parts(hints[field.name])
        times = [part for part in declared if part in (Moment, Duration)]
        if field.name.endswith("_s"):
            assert times, f"{kind.__name__}.{field.name} is neither a Moment nor a Duration"
        if Moment in times:  # inside another type, `shifted` would not find it
            assert hints[field.name] == Moment, f"{kind.__name__}.{field.name}"


@pytest.mark.parametrize("kind", KINDS)
def test_shifting_moves_every_moment_and_nothing_else(kind: type[Event]) -> None:
    event = example_of(kind)
    moved = event.shifted(0.25)
    expected = {name: getattr(event, name) + 0.25 for name in moments_of(kind)}
    assert moved == msgspec.structs.replace(event, **expected)
    assert event.shifted(0.0) == event


def example_of(kind: type[Event]) -> Event:
    """An event whose times are numbers; what else is in it isn't looked at."""
    fields = {field.name: 1.5 if field.name.endswith("_s") else field.name
              for field in msgspec.structs.fields(kind)}  # fmt: skip
    return kind(**fields)


def test_which_times_are_moments() -> None:
    assert moments_of(Queued) == ("due_s", "at_s")
    assert moments_of(Inferred) == ("begin_s", "end_s")
    assert moments_of(RuleChecked) == ()
    full = Backpressure(source=AudioSource.MIC, at_s=1.0, level=0.5, reason="slow")
    assert full.shifted(-1.5) == msgspec.structs.replace(full, at_s=-0.5)

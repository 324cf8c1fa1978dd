"""A stream on the virtual clock does what it does on the wall's: same events, same costs."""

import statistics
import time

import pytest

from harness.clock import ClockKind
from harness.journal.events import ChunkDone, ChunkTaken, Dropped, Event, Inferred, Queued
from tests.session.sessions import Working, play_to, silent_track

VIRTUAL, WALL = ClockKind.VIRTUAL, ClockKind.WALL


def compute() -> None:
    end_s = time.thread_time() + 0.01
    while time.thread_time() < end_s:
        sum(range(500))


def order_of(events: list[Event]) -> list[tuple[int, str]]:
    """What became of each chunk, one chunk after another: how they overlap is up to neighbours."""
    steps = [(event.chunk, type(event).__name__) for event in events
             if isinstance(event, Queued | ChunkTaken | ChunkDone | Dropped)]  # fmt: skip
    return sorted(steps, key=lambda step: step[0])


def costs_s(events: list[Event]) -> list[float]:
    return [event.end_s - event.begin_s for event in events if isinstance(event, Inferred)]


@pytest.mark.alone
@pytest.mark.slow
def test_computing_costs_the_same_on_both_clocks() -> None:
    """Interleaved, so that both see the same neighbours; the margin is for what neighbours do."""
    costs: dict[ClockKind, list[float]] = {VIRTUAL: [], WALL: []}
    orders = []
    for kind in (VIRTUAL, WALL, VIRTUAL, WALL):
        events = play_to(Working(compute), silent_track(1.5), chunk_seconds=0.15, kind=kind)
        costs[kind] += costs_s(events)
        orders.append(order_of(events))
    assert orders[0] == orders[1] == orders[2] == orders[3]
    assert [name for _, name in orders[0]] == ["Queued", "ChunkTaken", "ChunkDone"] * 10
    ratio = statistics.median(costs[VIRTUAL]) / statistics.median(costs[WALL])
    assert 0.4 < ratio < 2.5
    assert min(costs[VIRTUAL]) >= 0.01


@pytest.mark.slow
def test_overload_drops_the_same_on_both_clocks() -> None:
    """A provider that needs 0.17 s for 0.1 s of audio, with room for 0.3 s behind the newest."""
    drops, depths = {}, {}
    for kind in (VIRTUAL, WALL):
        events = play_to(
            Working(lambda: time.sleep(0.17)),
            silent_track(1.5),
            chunk_seconds=0.1,
            kind=kind,
            queue_s=0.3,
        )
        drops[kind] = sum(isinstance(event, Dropped) for event in events)
        depths[kind] = max(event.depth for event in events if isinstance(event, Queued))
    assert drops[WALL] >= 1
    assert abs(drops[VIRTUAL] - drops[WALL]) <= 1  # a late wake-up may cost one more
    assert depths[VIRTUAL] == depths[WALL] == 4


@pytest.mark.slow
def test_overload_saves_no_time() -> None:
    """Where the provider never rests there is nothing to skip."""
    begin_s = time.monotonic()
    play_to(Working(lambda: time.sleep(0.12)), silent_track(1.0), chunk_seconds=0.1, queue_s=10.0)
    assert time.monotonic() - begin_s >= 10 * 0.12

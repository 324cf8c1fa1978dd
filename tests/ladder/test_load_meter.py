"""How loaded a session is, from its events."""

import pytest

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import AudioSource
from harness.journal.events import ChunkDone, ChunkTaken, Event, Inferred, Queued
from harness.ladder.load_meter import STALE_S, WINDOW_S, LoadMeter

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


def chunk(
    number: int, begin_s: float, cost_s: float, audio_s: float = 2.0, source: AudioSource = MIC,
    *, done: bool = True,
) -> list[Event]:  # fmt: skip
    """A chunk that was taken at once, and the one inference that it took."""
    events: list[Event] = [
        Queued(source=source, chunk=number, first_sample=0, samples=round(audio_s * SAMPLE_RATE_HZ),
               due_s=begin_s, at_s=begin_s, depth=1),
        ChunkTaken(source=source, chunk=number, at_s=begin_s, depth=0),
    ]  # fmt: skip
    if done:
        end_s = begin_s + cost_s
        events.append(Inferred(source=source, begin_s=begin_s, end_s=end_s, window_s=audio_s))
        events.append(ChunkDone(source=source, chunk=number, at_s=end_s))
    return events


def meter(*chunks: list[Event]) -> LoadMeter:
    made = LoadMeter()
    for events in chunks:
        for event in events:
            made.note(event)
    return made


def test_it_is_inference_per_audio_of_the_last_seconds() -> None:
    made = meter(chunk(0, 2.0, 1.0), chunk(1, 4.0, 2.0))
    assert made.rtf(6.0) == pytest.approx(3.0 / 4.0)
    later = 6.0 + WINDOW_S + 0.1
    assert made.rtf(later) == pytest.approx(1.0)  # the last one counts until there is another
    assert made.rtf(6.0 + STALE_S + 0.1) is None


def test_before_the_first_chunk_nothing_is_known() -> None:
    assert LoadMeter().rtf(10.0) is None
    assert meter(chunk(0, 2.0, 0.0, done=False)).rtf(2.0) == 0.0


def test_silence_is_no_load() -> None:
    silent = [event for event in chunk(0, 2.0, 0.0) if not isinstance(event, Inferred)]
    assert meter(silent).rtf(3.0) == 0.0


def test_waiting_is_no_load() -> None:
    waited = chunk(0, 2.0, 0.5)
    waited[-1] = ChunkDone(source=MIC, chunk=0, at_s=9.0)
    assert meter(waited).rtf(9.0) == pytest.approx(0.25)


def test_sources_add_up() -> None:
    made = meter(chunk(0, 2.0, 1.2), chunk(0, 2.3, 1.2, source=SYSTEM))
    assert made.rtf(4.0) == pytest.approx(1.2)


def test_a_chunk_in_hand_counts_once_it_makes_it_worse() -> None:
    made = meter(chunk(0, 2.0, 0.2), chunk(1, 4.0, 0.0, done=False))
    assert made.rtf(4.1) == pytest.approx(0.1)
    assert made.rtf(9.0) == pytest.approx((0.2 + 5.0) / 4.0)


def test_only_the_source_that_has_the_engine_counts_as_active() -> None:
    """The other one waits for its turn."""
    made = meter(chunk(0, 2.0, 0.0, done=False), chunk(0, 2.1, 0.0, source=SYSTEM, done=False))
    assert made.rtf(4.0) == pytest.approx(1.0)


def test_after_a_restart_what_was_begun_before_counts_no_more() -> None:
    made = meter(chunk(0, 2.0, 4.0), chunk(1, 6.5, 4.0, done=False))
    made.restart(7.0)
    assert made.rtf(8.0) is None
    made.note(Inferred(source=MIC, begin_s=6.5, end_s=10.5, window_s=2.0))
    made.note(ChunkDone(source=MIC, chunk=1, at_s=10.5))
    assert made.rtf(10.5) is None
    for event in chunk(2, 10.5, 0.4):
        made.note(event)
    assert made.rtf(11.0) == pytest.approx(0.2)

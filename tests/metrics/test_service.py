import msgspec
import pytest

from harness.contract import AudioSource, Option
from harness.journal.events import Event, Inferred, Interrupted
from harness.metrics import TrialLog
from harness.metrics.service import cost_per_audio_hour, interrupted_time, interruptions
from tests.metrics.logs import chunk, log_of


def wait(begin_s: float, end_s: float, replayed_s: float = 0.0) -> Interrupted:
    return Interrupted(
        source=AudioSource.MIC, reason="HTTP 503", attempt=1, begin_s=begin_s, end_s=end_s,
        replayed_s=replayed_s,
    )  # fmt: skip


def priced(price: Option | None, *events: Event) -> TrialLog:
    log = log_of(*events)
    settings: dict[str, Option] = {} if price is None else {"price_per_audio_minute": price}
    return TrialLog(msgspec.structs.replace(log.spec, settings=settings), events)


def test_waits_are_counted_and_added_up() -> None:
    log = log_of(wait(1.0, 1.5), wait(4.0, 6.0))
    assert interruptions(log).value == 2.0
    assert interrupted_time(log).value == pytest.approx(2.5)
    assert interruptions(log_of()).value == interrupted_time(log_of()).value == 0.0


def test_audio_that_was_sent_is_paid_for_and_silence_is_not() -> None:
    """Two of ten seconds were sent, and one of them twice: three at 0.6 a minute, of ten."""
    log = priced(
        0.6, *chunk(0, 10.0, (), length_s=10.0),
        Inferred(source=AudioSource.MIC, begin_s=10.0, end_s=10.5, window_s=2.0),
        wait(10.1, 10.2, replayed_s=1.0),
    )  # fmt: skip
    assert cost_per_audio_hour(log).value == pytest.approx(0.6 * 60 * 3 / 10)


def test_a_cost_that_is_not_known_is_named() -> None:
    assert cost_per_audio_hour(priced(None)).absent == "no price_per_audio_minute was given"
    assert cost_per_audio_hour(priced(0.6)).absent == "no audio was played"
    assert cost_per_audio_hour(priced(0.0, *chunk(0, 1.0))).value == 0.0

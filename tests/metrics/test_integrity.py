import pytest

from harness.contract import AudioAccount
from harness.journal.events import Queued
from harness.metrics import METRICS
from tests.metrics.logs import MIC, SYSTEM, chunk, chunks, dropped, log_of, said, sampled, samples


def unaccounted(*accounts: AudioAccount, handed_over: int = 100) -> float | None:
    snapshots = (sampled(float(at), {MIC: account}, {MIC: handed_over})
                 for at, account in enumerate(accounts))  # fmt: skip
    return METRICS["unaccounted_samples"](log_of(*snapshots)).value


def account(received: int = 100, decoded: int = 0, skipped: int = 0) -> AudioAccount:
    return AudioAccount(received=received, decoded=decoded, skipped=skipped)


def test_audio_may_wait_but_not_at_the_end() -> None:
    assert unaccounted(account(decoded=60), account(decoded=60, skipped=40)) == 0
    assert unaccounted(account(decoded=60, skipped=40), account(decoded=60)) == 40


def test_the_worst_moment_counts() -> None:
    fine = account(decoded=100)
    assert unaccounted(account(received=93), fine) == 7
    assert unaccounted(account(received=105), fine) == 5
    assert unaccounted(account(decoded=90, skipped=30), fine) == 20  # more than there was


def test_a_source_that_was_never_heard_of_misses_everything() -> None:
    snapshot = sampled(1.0, {MIC: account(decoded=100)}, {MIC: 100, SYSTEM: 70})
    assert METRICS["unaccounted_samples"](log_of(snapshot)).value == 70


def test_what_was_queued_was_taken_or_dropped() -> None:
    fine = sampled(9.0, {MIC: account(received=0)}, {MIC: 0})
    lost = Queued(source=MIC, chunk=7, first_sample=0, samples=1234, due_s=1.0, at_s=1.0, depth=1)
    metric = METRICS["unaccounted_samples"]
    assert metric(log_of(*chunks([0.1]), *dropped(1, 2.0), fine)).value == 0
    assert metric(log_of(*chunks([0.1]), *dropped(1, 2.0), lost, fine)).value == 1234


def test_without_a_sample_it_is_absent() -> None:
    assert METRICS["unaccounted_samples"](log_of(*chunks([0.1]))).absent


TEN_SECONDS = chunks([0.1] * 10)


def out_of_order_segments(*events: object) -> float | None:
    return METRICS["out_of_order_segments"](log_of(*TEN_SECONDS, *events)).value  # type: ignore[arg-type]


def test_good_order_is_no_disorder() -> None:
    assert out_of_order_segments() == 0
    assert out_of_order_segments(
        said(1.0, "a", 0, t1=1.0), said(2.0, "a b", 0, final=True, t1=2.0),
        said(3.0, "c", 1, final=True, t0=2.0, t1=3.0), said(9.0, "d", 5, final=True, t0=8, t1=10.0),
    ) == 0  # fmt: skip


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([said(1.0, "a", t1=1.0)], 1),
        ([said(1.0, "a", final=True, t1=1.0), said(2.0, "b", t1=1.0)], 1),
        ([said(1.0, "a", final=True, t1=1.0), said(2.0, "b", final=True, t1=1.0)], 2),
        ([said(1.0, "a", 0, final=True, t1=2.0), said(2.0, "b", 1, final=True, t0=1.9, t1=3.0)], 1),
        ([said(1.0, "a", 0, final=True, t0=5.0, t1=6.0), said(2.0, "b", 1, final=True, t1=3.0)], 1),
        ([said(1.0, "a", 0, final=True, t0=9.0, t1=10.1)], 1),
        ([said(1.0, "a", 0), said(1.0, "a", 1), said(1.0, "a", 2, final=True)], 2),
    ],
)
def test_each_break_of_the_order_counts(events: list[object], broken: int) -> None:
    assert out_of_order_segments(*events) == broken


def test_the_sources_are_judged_apart() -> None:
    """What one says may lie before what the other has said."""
    assert out_of_order_segments(said(1.0, "a", 0, final=True, t0=5, t1=6)) == 0
    system = [said(1.0, "a", 0, final=True, t0=5, t1=6, source=SYSTEM)]
    later = chunk(0, 7.0, length_s=7.0, source=SYSTEM)
    log = log_of(*TEN_SECONDS, *later, *system, said(2.0, "b", 0, final=True, t0=1, t1=2),
                 starts_s={MIC: 0.0, SYSTEM: 0.0})  # fmt: skip
    assert METRICS["out_of_order_segments"](log).value == 0


@pytest.mark.parametrize("start_s", [0.0, 0.1, 0.37, 0.5, 1.3])
def test_a_final_may_end_with_the_audio_whatever_it_began_at(start_s: float) -> None:
    """The trial's clock and back again is not exactly the same number."""
    for length in range(16_000, 160_000, 1601):
        length_s = length / 16_000
        events = chunk(0, start_s + length_s, length_s=length_s, start_s=start_s)
        final = said(99.0, "end", final=True, t0=0.5, t1=length_s)
        log = log_of(*events, final, starts_s={MIC: start_s})
        assert METRICS["out_of_order_segments"](log).value == 0
    assert samples(1.0) == 16_000

import msgspec
import pytest

from harness.contract import AudioAccount
from harness.metrics import METRICS
from tests.metrics.logs import MIC, log_of, sampled

peak = METRICS["memory_peak"]


def test_the_worst_moment_counts() -> None:
    quiet = sampled(1.0, {MIC: AudioAccount()}, {MIC: 0})
    moments = [msgspec.structs.replace(quiet, rss_bytes=size) for size in (2, 9_500_000_000, 3)]
    measured = peak(log_of(*moments))
    assert measured.value == pytest.approx(9.5)
    assert (measured.unit, measured.count) == ("GB", 3)


def test_what_nobody_saw_is_absent() -> None:
    measured = peak(log_of())
    assert measured.value is None
    assert measured.absent is not None

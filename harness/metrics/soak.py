"""Metrics of long sessions: growth of memory, threads and open files."""

from collections.abc import Sequence

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import robust_line

WARM_UP = 0.1
"""Share of a session that is ignored at its start, while caches fill."""
NEEDED_S = 1500.0
"""Seconds of audio; in less, a slope per hour is meaningless."""
MB = 1e6


def _settled(log: TrialLog) -> list[Sampled]:
    samples = log.of(Sampled)
    until_s = WARM_UP * samples[-1].at_s if samples else 0.0
    return [sample for sample in samples if sample.at_s > until_s]


@metric
def memory_growth(log: TrialLog) -> Measurement:
    """Growth of the process tree's memory per hour of audio: Theil-Sen slope, Sen's bounds.

    The unshared memory (USS), or RSS where the system doesn't report USS.
    """
    settled = _settled(log)
    own = [(sample.at_s, sample.uss_bytes) for sample in settled if sample.uss_bytes is not None]
    memory = own or [(sample.at_s, sample.rss_bytes) for sample in settled]
    if len(memory) < 3:
        return Measurement(unit="MB/h", absent="the session was too short to sample its memory")
    line = robust_line(*zip(*memory, strict=True))
    scale = 3600 / MB
    return Measurement(
        unit="MB/h",
        value=line.slope * scale,
        bounds=(line.low * scale, line.high * scale),
        count=len(memory),
        needed=_needed(settled, len(memory)),
    )


@metric
def thread_growth(log: TrialLog) -> Measurement:
    """Increase in the number of threads after the first tenth of the session."""
    settled = _settled(log)
    return _difference("threads", [sample.threads for sample in settled])


@metric
def open_file_growth(log: TrialLog) -> Measurement:
    """Increase in the number of open files after the first tenth of the session."""
    counts = [sample.open_files for sample in _settled(log)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return Measurement(unit="files", absent="this system doesn't report open files")
    return _difference("files", known)


def _difference(unit: str, counts: list[int]) -> Measurement:
    """The minimum of the last quarter minus the maximum of the first; 0 if negative."""
    if len(counts) < 8:
        return Measurement(unit=unit, absent="the session was too short")
    quarter = len(counts) // 4
    more = min(counts[-quarter:]) - max(counts[:quarter])
    return Measurement(unit=unit, value=float(max(0, more)), count=len(counts))


def _needed(settled: Sequence[Sampled], count: int) -> int | None:
    span_s = settled[-1].at_s - settled[0].at_s
    return None if span_s >= NEEDED_S else max(count + 1, round(count * NEEDED_S / max(span_s, 1)))

"""Whether memory, threads and open files stay what they were over a long session."""

from collections.abc import Sequence

from harness.journal.events import Sampled
from harness.metrics.measurement import Measurement, metric
from harness.metrics.triallog import TrialLog
from harness.statistics import robust_line

WARM_UP = 0.1
"""Share of a session in which caches fill."""
NEEDED_S = 1500.0
"""Of audio; in less, a slope by the hour says nothing."""
MB = 1e6


def _settled(log: TrialLog) -> list[Sampled]:
    samples = log.of(Sampled)
    until_s = WARM_UP * samples[-1].at_s if samples else 0.0
    return [sample for sample in samples if sample.at_s > until_s]


def _span_s(samples: Sequence[Sampled]) -> float:
    return samples[-1].at_s - samples[0].at_s if samples else 0.0


@metric
def memory_growth(log: TrialLog) -> Measurement:
    """Growth of the process tree's own memory by the hour of audio: Theil-Sen, Sen's bounds.

    That is memory that nothing else shares (USS), or, where the system doesn't tell, RSS.
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
    """Threads at the end of the session more than after its first tenth."""
    settled = _settled(log)
    return _difference("threads", [sample.threads for sample in settled])


@metric
def open_file_growth(log: TrialLog) -> Measurement:
    """Open files at the end of the session more than after its first tenth."""
    counts = [sample.open_files for sample in _settled(log)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return Measurement(unit="files", absent="this system doesn't tell of open files")
    return _difference("files", known)


def _difference(unit: str, counts: list[int]) -> Measurement:
    """How much more there is in the last quarter, at least, than in the first, at most."""
    if len(counts) < 8:
        return Measurement(unit=unit, absent="the session was too short")
    quarter = len(counts) // 4
    more = min(counts[-quarter:]) - max(counts[:quarter])
    return Measurement(unit=unit, value=float(max(0, more)), count=len(counts))


def _needed(settled: Sequence[Sampled], count: int) -> int | None:
    span_s = _span_s(settled)
    return None if span_s >= NEEDED_S else max(count + 1, round(count * NEEDED_S / max(span_s, 1)))

"""Residency, by a probe of short streams: eight signs of a model that doesn't stay loaded.

No single sign sees every way to reload. Reading the file again shows in bytes read, mapping it does
not; both break when the file is gone; a child process has its own file; a slow leak has no step.
"""

import numpy as np
from numpy.typing import NDArray

from harness.journal.events import Loaded, ResidencyChunk, ResidencyEnded, ResidencyPart
from harness.metrics.measurement import Measurement, residency_metric
from harness.metrics.triallog import TrialLog
from harness.statistics import bootstrap, robust_line

Floats = NDArray[np.floating]

WARM_UP = 3
SIXTHS = 6
CHUNKS_NEEDED = 60
SHORTEST_LOAD_S = 0.05
"""A model that loads faster can't be told from noise by the time of a chunk."""
SMALLEST_MODEL = 64 << 20
"""Bytes; of a smaller model, the memory of ordinary work would look like a reload."""
MIN_BEATS = 3
"""How often something has to come again at the same distance to be called periodic."""


def part(log: TrialLog, kind: ResidencyPart) -> list[ResidencyChunk]:
    """The chunks of one part, in order; of the steady part, without the first few."""
    found = [chunk for chunk in log.of(ResidencyChunk) if chunk.part is kind]
    return found[WARM_UP:] if kind is ResidencyPart.STEADY else found


def too_few(chunks: list[ResidencyChunk]) -> int | None:
    """How many chunks it takes, where there are fewer."""
    return CHUNKS_NEEDED if len(chunks) < CHUNKS_NEEDED else None


def load_time_s(log: TrialLog) -> float:
    """How long loading took; 0 when it wasn't seen."""
    loaded = log.of(Loaded)
    return loaded[0].load_s if loaded else 0.0


@residency_metric
def residency_fixed_cost(log: TrialLog) -> Measurement:
    """What a chunk costs however short it is: the intercept of time over length, in seconds.

    Whisper pads every window, so a large model has much of it and is resident all the same.
    """
    return _intercept(log, "s", 1.0)


@residency_metric
def residency_intercept(log: TrialLog) -> Measurement:
    """The fixed cost of a chunk in load times: near 1, each chunk loads the model.

    Theil-Sen line through time and length of the chunks; the bounds come from drawing chunks.
    """
    load_s = load_time_s(log)
    if load_s < SHORTEST_LOAD_S:
        absent = f"loads in {1000 * load_s:.0f} ms, too fast to tell a reload by"
        return Measurement(unit="load times", absent=absent)
    return _intercept(log, "load times", load_s)


def _intercept(log: TrialLog, unit: str, scale: float) -> Measurement:
    chunks = part(log, ResidencyPart.STEADY)
    points = np.array([(each.audio_s, each.took_s) for each in chunks])
    if len({each.audio_s for each in chunks}) < 2:
        return Measurement(unit=unit, absent="fewer than two lengths of chunks were heard")

    def intercept(rows: Floats) -> float:
        return robust_line(rows[:, 0], rows[:, 1]).intercept / scale

    return Measurement(
        unit=unit,
        value=intercept(points),
        bounds=bootstrap(points, intercept, rounds=200),
        count=len(chunks),
        needed=too_few(chunks),
    )


@residency_metric
def residency_growth(log: TrialLog) -> Measurement:
    """How much more a chunk takes after a third of the probe, as a share of a typical chunk.

    Each chunk is compared with others of its length, and the probe is cut into sixths. Of the four
    increases over a third, it is the smallest: what grows goes on growing, while a neighbour that
    wakes up makes one step.
    """
    chunks = part(log, ResidencyPart.STEADY)
    if len(chunks) < 2 * SIXTHS:
        return Measurement(unit="1", absent=f"fewer than {2 * SIXTHS} chunks were heard")
    typical_s = typical(chunks)
    if not all(typical_s.values()):
        return Measurement(unit="1", absent="chunks take no time")
    relative = [each.took_s / typical_s[each.audio_s] for each in chunks]
    length = len(relative) // SIXTHS
    sixths = np.array(relative[-SIXTHS * length :]).reshape(SIXTHS, length).T

    def growth(drawn: Floats) -> float:
        medians = np.median(drawn, axis=0)
        return float((medians[2:] - medians[:-2]).min())

    return Measurement(
        unit="1",
        value=growth(sixths),
        bounds=bootstrap(sixths, growth),
        count=len(chunks),
        needed=too_few(chunks),
    )


def typical(chunks: list[ResidencyChunk]) -> dict[float, float]:
    """What chunks of each length typically take, in seconds."""
    by_length: dict[float, list[float]] = {}
    for each in chunks:
        by_length.setdefault(each.audio_s, []).append(each.took_s)
    return {length_s: float(np.median(times_s)) for length_s, times_s in by_length.items()}


def excess(chunks: list[ResidencyChunk]) -> list[float]:
    """How much longer each chunk took than chunks of its length typically do, in seconds."""
    typical_s = typical(chunks)
    return [each.took_s - typical_s[each.audio_s] for each in chunks]


@residency_metric
def residency_periodic(log: TrialLog) -> Measurement:
    """Whether every p-th chunk is slow by half a load time: share of them, for the worst p.

    At 1, some beat is kept without fail; single slow chunks of a busy machine keep none.
    """
    load_s = load_time_s(log)
    if load_s < SHORTEST_LOAD_S:
        absent = f"loads in {1000 * load_s:.0f} ms, too fast to tell a reload by"
        return Measurement(unit="1", absent=absent)
    chunks = part(log, ResidencyPart.STEADY)
    slow = np.array([late_s > load_s / 2 for late_s in excess(chunks)])
    return Measurement(
        unit="1", value=strongest_beat(slow), count=len(chunks), needed=too_few(chunks)
    )


def strongest_beat(slow: NDArray[np.bool_]) -> float:
    """The largest share of slow ones among every p-th, over all p and starts.

    >>> strongest_beat(np.arange(60) % 10 == 4)
    1.0
    >>> strongest_beat(np.isin(np.arange(60), [3, 4, 30]))
    0.0
    """
    best = 0.0
    for period in range(2, len(slow) // MIN_BEATS + 1):
        for start in np.flatnonzero(slow[:period]):
            beat = slow[start::period]
            if beat.sum() >= MIN_BEATS:
                best = max(best, float(beat.mean()))
    return best


@residency_metric
def residency_vanish(log: TrialLog) -> Measurement:
    """Chunks that failed, or came out otherwise, once the model's file had been taken away."""
    ended = log.of(ResidencyEnded)
    gone = part(log, ResidencyPart.VANISHED)
    if not gone:
        why = ended[0].vanish if ended else "the probe did not end"
        return Measurement(unit="chunks", absent=why)
    before = {each.index: each.text for each in part(log, ResidencyPart.COPY)}
    wrong = sum(bool(each.error) or each.text != before[each.index] for each in gone)
    return Measurement(unit="chunks", value=float(wrong), count=len(gone))


@residency_metric
def residency_spawns(log: TrialLog) -> Measurement:
    """Processes that were started while chunks were heard."""
    return _counted(log, "processes", [each.spawns for each in part(log, ResidencyPart.STEADY)])


@residency_metric
def residency_files(log: TrialLog) -> Measurement:
    """Files that were made while chunks were heard."""
    return _counted(log, "files", [each.files_created for each in part(log, ResidencyPart.STEADY)])


def _counted(log: TrialLog, unit: str, counts: list[int]) -> Measurement:
    if not counts:
        return Measurement(unit=unit, absent="no chunk was heard")
    return Measurement(unit=unit, value=float(sum(counts)), count=len(counts))


@residency_metric
def residency_reads(log: TrialLog) -> Measurement:
    """The most bytes that the process tree read in one chunk, as a share of the model's size.

    A model that is loaded again at every tenth chunk reads as much there as one that is loaded at
    each; a mean would hide it.
    """
    chunks = part(log, ResidencyPart.STEADY)
    ended = log.of(ResidencyEnded)
    size = ended[0].model_bytes if ended else None
    reads = [each.read_bytes for each in chunks if each.read_bytes is not None]
    if not size:
        return Measurement(unit="1", absent="the model has no file on this machine")
    if not reads:
        return Measurement(unit="1", absent="this system doesn't tell what a process reads")
    return Measurement(unit="1", value=max(reads) / size, count=len(reads))


@residency_metric
def residency_memory_swing(log: TrialLog) -> Measurement:
    """Highest minus lowest memory (RSS) between chunks, as a share of the model's size."""
    chunks = part(log, ResidencyPart.STEADY)
    ended = log.of(ResidencyEnded)
    size = ended[0].model_bytes if ended else None
    if not size or not chunks:
        return Measurement(unit="1", absent="the model has no file on this machine")
    memory = [each.rss_bytes for each in chunks]
    swing = (max(memory) - min(memory)) / max(size, SMALLEST_MODEL)
    return Measurement(unit="1", value=swing, count=len(chunks))


@residency_metric
def cache_speedup(log: TrialLog) -> Measurement:
    """How many times longer altered speech takes than the same samples heard again.

    Each pair is the same speech; a recogniser that keeps answers is fast on what it knows.
    """
    again, altered = part(log, ResidencyPart.AGAIN), part(log, ResidencyPart.ALTERED)
    pairs = [(old.took_s, new.took_s) for old, new in zip(again, altered, strict=False)]
    if not pairs or not any(old_s + new_s for old_s, new_s in pairs):
        return Measurement(unit="1", absent="no pair took any time")
    ratios = np.array([new_s / max(old_s, 1e-6) for old_s, new_s in pairs])

    def middle(rows: Floats) -> float:
        return float(np.median(rows))

    return Measurement(
        unit="1", value=middle(ratios), bounds=bootstrap(ratios, middle), count=len(pairs)
    )

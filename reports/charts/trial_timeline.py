"""Draws a trial along its audio: real-time factor per chunk, drops, texts and queue depth."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from markupsafe import Markup

from harness.contract import AudioSource
from harness.journal.events import ChunkTaken, Queued
from harness.metrics import TrialLog
from harness.metrics.triallog import ChunkRecord
from harness.support.durations import clock_time
from reports.charts import svg
from reports.formatting import number

MAX_BARS = 400
"""More bars would be thinner than a pixel, and enlarge the page."""
QUEUE_COLUMNS = 200
TITLE_PX, RTF_PX, QUEUE_PX, TEXTS_PX, TEXT_PX, GAP_PX, TICK_PX = 20, 84, 40, 27, 7, 12, 10
TICK_SHARE = 0.0015
MAX_LETTERS = 80
"""Maximum length of a text in a tooltip."""
TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
MAX_TICKS = 6


@dataclass(frozen=True)
class LimitLine:
    """A limit to draw into the lanes of the real-time factor."""

    value: float
    words: str


@dataclass(frozen=True)
class Lane:
    """A strip of the chart with its own scale."""

    top: float
    height: float
    most: float
    """The value at the upper edge."""
    span_s: float

    @property
    def bottom(self) -> float:
        """The y of value 0."""
        return self.top + self.height

    def x(self, at_s: float) -> float:
        """Return a time's position as a share of the width."""
        return max(0.0, min(1.0, at_s / self.span_s))

    def y(self, value: float) -> float:
        """Return a value's y; values above the scale are drawn at its edge."""
        return self.bottom - self.height * min(1.0, value / self.most)


def timeline(log: TrialLog, limits: Sequence[LimitLine]) -> Markup | None:
    """Draw a trial.

    Args:
        log: Its events; it may have ended early.
        limits: Limits of a chunk's real-time factor, tightest first. The first is always visible.

    Returns:
        The chart; None when no chunk was ever queued.
    """
    if not log.chunks:
        return None
    steps = depth_steps(log)
    span_s = max(steps[-1][0], *(chunk.due_s for chunk in log.chunks))
    parts: list[Markup] = []
    top = 0.0
    for source in log.sources:
        chunks = [chunk for chunk in log.chunks if chunk.source == source]
        if chunks:
            parts += _title(top, f"{source}: real-time factor {_bar_label(chunks)}")
            lane = Lane(top + TITLE_PX, RTF_PX, _most(chunks, limits), span_s)
            parts += [*_grid(lane), *_rtf_bars(lane, chunks), *_numbers(lane)]
            parts += _limit_lines(lane, limits)
            parts += _texts(log, source, Lane(lane.bottom + GAP_PX, TEXTS_PX, 1.0, span_s))
            top = lane.bottom + GAP_PX + TEXTS_PX + GAP_PX
    means = column_means(steps, span_s, QUEUE_COLUMNS)
    parts += _title(top, "chunks waiting (mean over time)")
    lane = Lane(top + TITLE_PX, QUEUE_PX, 1.25 * max(1.0, *means), span_s)
    parts += [*_grid(lane), *_queue_columns(lane, means), *_numbers(lane), *_time_axis(lane)]
    label = "real-time factor, drops and queue along the audio"
    return svg.chart(lane.bottom + svg.AXIS_PX, label, parts)


def depth_steps(log: TrialLog) -> list[tuple[float, int]]:
    """Return when the number of waiting chunks of all sources changed, and its new value."""
    depths = dict.fromkeys(log.sources, 0)
    steps, total = [], 0
    events: list[Queued | ChunkTaken] = [*log.of(Queued), *log.of(ChunkTaken)]
    for event in sorted(events, key=attrgetter("at_s")):
        total += event.depth - depths[event.source]
        depths[event.source] = event.depth
        steps.append((event.at_s, total))
    return steps


def column_means(steps: Sequence[tuple[float, int]], span_s: float, columns: int) -> list[float]:
    """Return the time-weighted mean of a step function in each of equal pieces of the span.

    >>> column_means([(0.0, 0), (1.0, 4), (2.0, 0)], 3.0, 2)
    [1.3333333333333333, 1.3333333333333333]
    """
    width_s = span_s / columns
    totals = [0.0] * columns
    for (from_s, depth), (to_s, _) in pairwise([*steps, (span_s, 0)]):
        at = max(0, int(from_s / width_s))
        while depth and from_s < to_s and at < columns:
            end_s = min(to_s, (at + 1) * width_s)
            totals[at] += depth * max(0.0, end_s - from_s)
            from_s, at = max(from_s, end_s), at + 1
    return [total / width_s for total in totals]


def _bar_label(chunks: Sequence[ChunkRecord]) -> str:
    size = _bar_size(chunks)
    return "per chunk" if size == 1 else f"of the slowest of {size} chunks"


def _bar_size(chunks: Sequence[ChunkRecord]) -> int:
    return math.ceil(len(chunks) / MAX_BARS)


def _most(chunks: Sequence[ChunkRecord], limits: Sequence[LimitLine]) -> float:
    """Return the scale's end; the short last chunk, which includes the final flush, is ignored."""
    values = [chunk.rtf for chunk in chunks if chunk.inferences and not chunk.is_tail]
    return 1.2 * max([*values, *(limit.value for limit in limits[:1])], default=1.0) or 1.0


def _title(top: float, words: str) -> list[Markup]:
    return [svg.text(0, top + 0.65 * TITLE_PX, words, "start", "lane")]


def _grid(lane: Lane) -> Iterator[Markup]:
    for value in _values(lane):
        yield from svg.level(lane.y(value))
    yield svg.line((0, 1), (lane.bottom, lane.bottom), "base")


def _numbers(lane: Lane) -> Iterator[Markup]:
    for value in _values(lane):
        if lane.y(value) > lane.top + TICK_PX:  # else it would cover the title
            yield svg.text(0, lane.y(value) - 3, number(value), "start", "tick")


def _values(lane: Lane) -> list[float]:
    return svg.round_values(0, lane.most, 3)[1:]


def _rtf_bars(lane: Lane, chunks: Sequence[ChunkRecord]) -> Iterator[Markup]:
    size = _bar_size(chunks)
    for index in range(0, len(chunks), size):
        group = chunks[index : index + size]
        begin_s, end_s = group[0].due_s - group[0].audio_s, group[-1].due_s
        x, width = lane.x(begin_s), 0.86 * (lane.x(end_s) - lane.x(begin_s))
        dropped = [chunk.index for chunk in group if chunk.dropped]
        decoded = [chunk for chunk in group if chunk.inferences]
        slowest = max(decoded, key=lambda chunk: chunk.rtf, default=None)
        if dropped:
            title = f"{begin_s:.1f} to {end_s:.1f} s: dropped {', '.join(map(str, dropped))}"
            yield svg.bar(x, width, lane.top, lane.bottom, "drop", title)
        elif slowest is not None:
            title = f"chunk {slowest.index}, to {end_s:.1f} s: RTF {number(slowest.rtf)}"
            if slowest.is_tail:
                title += ", with the final flush"
            yield svg.bar(x, width, lane.y(slowest.rtf), lane.bottom, "bar", title)


def _limit_lines(lane: Lane, limits: Sequence[LimitLine]) -> Iterator[Markup]:
    for limit in limits:
        if limit.value <= lane.most:
            y = lane.y(limit.value)
            yield svg.line((0, 1), (y, y), "limit")
            yield svg.text(1, y - 4, limit.words, "end", "limit-text")


def _texts(log: TrialLog, source: AudioSource, lane: Lane) -> Iterator[Markup]:
    """Draw the spoken utterances, the finals' audio, and the arrivals of partials and finals."""
    start_s = log.start_s[source]
    rows = [lane.top + index * TEXTS_PX / 3 for index in range(3)]
    for utterance in log.truth(source)[:MAX_BARS]:
        x, end = lane.x(start_s + utterance.t0), lane.x(start_s + utterance.t1)
        title = f"spoken until {clock_time(utterance.t1)}: {_short(utterance.text)}"
        yield svg.bar(x, end - x, rows[0], rows[0] + TEXT_PX, "speech", title)
    segments = log.segments(source)
    finals = [(at_s, segment) for at_s, segment in segments if segment.is_final]
    for at_s, segment in finals[:MAX_BARS]:
        x, end = lane.x(start_s + segment.t0), lane.x(start_s + segment.t1)
        title = f"final at {clock_time(at_s)}: {_short(segment.text)}"
        yield svg.bar(x, max(0.001, end - x), rows[1], rows[1] + TEXT_PX, "final", title)
    arrivals = [(at_s, "partial") for at_s, segment in segments if not segment.is_final]
    arrivals = arrivals[:: math.ceil(len(arrivals) / MAX_BARS) or 1]
    arrivals += [(at_s, "final") for at_s, _ in finals[:MAX_BARS]]
    for at_s, kind in arrivals:
        left = min(1 - TICK_SHARE, lane.x(at_s))
        yield svg.bar(left, TICK_SHARE, rows[2], rows[2] + TEXT_PX, kind)


def _short(text: str) -> str:
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1]}…"


def _queue_columns(lane: Lane, means: Sequence[float]) -> Iterator[Markup]:
    width = 1 / len(means)
    for index, mean in enumerate(means):
        if mean:
            yield svg.bar(index * width, width, lane.y(mean), lane.bottom, "queue")


def _time_axis(lane: Lane) -> Iterator[Markup]:
    fitting = (step for step in TIME_STEPS_S if lane.span_s / step <= MAX_TICKS)
    step_s = next(fitting, TIME_STEPS_S[-1])
    for index in range(int(lane.span_s / step_s) + 1):
        x = lane.x(index * step_s)
        yield svg.line((x, x), (lane.bottom, lane.bottom + 4), "base")
        yield svg.tick(x, lane.bottom, clock_time(index * step_s))

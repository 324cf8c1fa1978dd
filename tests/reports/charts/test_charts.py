import math
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from harness.contract import AudioSource
from harness.journal.events import AnyEvent, ChunkTaken, Queued
from harness.journal.journal import read_journal
from harness.journal.run_folder import RunFolder
from harness.metrics import Measurement, TrialLog
from harness.verdicts.thresholds import read_thresholds
from harness.verdicts.verdict import judge
from reports.charts import svg
from reports.charts.distribution import distribution, scale_for
from reports.charts.trial_timeline import MAX_BARS, LimitLine, column_means, depth_steps, timeline
from tests.reports.journals import THRESHOLDS, make_spec, played

SAID = [("one two three", "one two three")]
HELD = [judge(read_thresholds(THRESHOLDS)["word_emission_p50"], Measurement(unit="s"), 2.0)]
LIMITS = (LimitLine(0.5, "target p95 < 0.5"), LimitLine(0.8, "minimum p95 < 0.8"))


def parse(chart: Markup | None) -> ElementTree.Element:
    assert chart is not None
    return ElementTree.fromstring(chart)


def of_class(chart: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [element for element in chart.iter() if element.get("class") == kind]


def percent(element: ElementTree.Element, name: str) -> float:
    text = element.get(name, "")
    assert text.endswith("%")
    return float(text[:-1])


def log_of(events: list[AnyEvent], chunk_s: float = 2.0, duration_s: float = 60.0) -> TrialLog:
    return TrialLog(make_spec(chunk_s=chunk_s, duration_s=duration_s), events)


def test_a_bar_for_each_decoded_chunk_and_red_for_each_dropped_one() -> None:
    log = log_of(played(make_spec(), SAID, rtf=0.25, drop_every=10, silent=(3, 4)))
    chart = parse(timeline(log, LIMITS))
    bars, drops = of_class(chart, "bar"), of_class(chart, "drop")
    assert (len(bars), len(drops)) == (30 - 3 - 2, 3)
    titles = ["".join(bar.itertext()) for bar in bars]
    assert titles[0] == "chunk 0, to 2.0 s: RTF 0.25"
    assert [percent(drop, "x") for drop in drops] == pytest.approx([30, 63.333, 96.667], abs=0.01)
    lanes = ["".join(text.itertext()) for text in of_class(chart, "lane")]
    assert lanes == ["mic: real-time factor per chunk", "chunks waiting (mean over time)"]


def test_heights_stand_for_values_and_the_nearest_limit_is_in_view() -> None:
    for rtf, drawn in ((0.1, 1), (0.7, 2), (3.0, 2)):
        chart = parse(timeline(log_of(played(make_spec(), SAID, rtf=rtf)), LIMITS))
        lines = of_class(chart, "limit")
        assert len(lines) == drawn
        bar = of_class(chart, "bar")[0]
        bottom = float(bar.get("y", "")) + float(bar.get("height", ""))
        target_px = bottom - float(lines[0].get("y1", ""))
        assert float(bar.get("height", "")) / target_px == pytest.approx(rtf / 0.5, rel=0.1)


def test_long_trials_are_drawn_with_few_bars_and_keep_the_worst() -> None:
    events = played(make_spec(chunk_s=0.1, duration_s=600), SAID, rtf=0.2, drop_every=3000)
    log = log_of(events, 0.1, 600)
    assert len(log.chunks) == 6000
    chart = parse(timeline(log, LIMITS))
    assert len(of_class(chart, "bar")) + len(of_class(chart, "drop")) <= MAX_BARS
    assert len(of_class(chart, "drop")) == 2


@pytest.mark.slow
def test_everything_stays_in_the_picture(real_run: RunFolder) -> None:
    (record,) = read_journal(real_run.journal)
    chart = parse(timeline(TrialLog(record.started.spec, record.events), LIMITS))
    height = float(chart.get("height", ""))
    for rect in chart.iter("rect"):
        assert percent(rect, "x") >= 0
        assert percent(rect, "x") + percent(rect, "width") <= 100.001
        assert float(rect.get("y", "")) >= 0
        assert float(rect.get("y", "")) + float(rect.get("height", "")) <= height
    for text in chart.iter("text"):
        assert 0 < float(text.get("y", "")) < height


def test_a_trial_that_ended_before_its_first_chunk_has_no_course() -> None:
    assert timeline(log_of([]), LIMITS) is None


def test_depths_of_all_sources_are_added_up() -> None:
    def queued(source: AudioSource, at_s: float, depth: int) -> Queued:
        return Queued(source=source, chunk=0, first_sample=0, samples=1, due_s=at_s, at_s=at_s,
                      depth=depth)  # fmt: skip

    mic, system = AudioSource.MIC, AudioSource.SYSTEM
    spec = make_spec()
    log = TrialLog(spec, [queued(mic, 1.0, 1), queued(mic, 2.0, 2),
                          ChunkTaken(source=mic, chunk=0, at_s=3.0, depth=1)])  # fmt: skip
    assert depth_steps(log) == [(1.0, 1), (2.0, 2), (3.0, 1)]
    log.sources.append(system)
    assert depth_steps(log) == [(1.0, 1), (2.0, 2), (3.0, 1)]


@given(
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 9)), min_size=1, max_size=20),
    st.integers(1, 50),
)
def test_column_means_keep_the_integral(steps: list[tuple[float, int]], columns: int) -> None:
    steps = sorted(steps)
    means = column_means(steps, 10.0, columns)
    ends = [at_s for at_s, _ in steps[1:]] + [10.0]
    integral = sum(depth * (end_s - at_s) for (at_s, depth), end_s in zip(steps, ends, strict=True))
    assert len(means) == columns
    assert sum(means) * 10.0 / columns == pytest.approx(integral, abs=1e-9)
    assert max(means) <= max(depth for _, depth in steps) + 1e-9


SAMPLES = st.lists(st.one_of(st.floats(-5, 500), st.just(math.inf)), min_size=1, max_size=200)


@pytest.mark.slow
@given(SAMPLES)
@example([0.1] * 200 + [400.0, math.inf])
def test_no_sample_is_left_out_of_a_distribution(samples: list[float]) -> None:
    scale = scale_for(samples, [2.0])
    measured = Measurement(unit="s", samples=tuple(samples))
    chart = parse(distribution("word_emission_latency", measured, HELD, scale))
    titles = ["".join(bar.itertext()) for bar in of_class(chart, "bar") if len(bar)]
    in_bins = sum(int(title.rpartition(": ")[2]) for title in titles)
    beside = {"later": 0, "never": sum(math.isinf(sample) for sample in samples)}
    beside["later"] = sum(math.isfinite(s) and s >= scale.high for s in samples)
    assert in_bins == len(samples) - sum(beside.values())
    assert len(of_class(chart, "drop")) == bool(beside["never"])
    words = ["".join(text.itertext()) for text in chart.iter("text")]
    for name, count in beside.items():
        assert (name in words) == bool(count)
        assert not count or str(count) in words
    assert scale.low <= min(samples) + 1e-9
    assert scale.high > 2.0
    for line in chart.iter("line"):
        assert -0.001 <= percent(line, "x1") <= 100.001


def test_percentiles_and_limits_are_marked() -> None:
    samples = tuple(number / 100 for number in range(300))
    measured = Measurement(unit="s", samples=samples)
    scale = scale_for(samples, [2.0])
    chart = parse(distribution("word_emission_latency", measured, HELD, scale))
    words = [" ".join("".join(text.itertext()).split()) for text in chart.iter("text")]
    assert {"p50 1.5 s", "p95 2.85 s", "target p50 < 2"} <= set(words)
    p50, _ = of_class(chart, "percentile")
    assert percent(p50, "x1") == pytest.approx(100 * 1.5 / scale.high, abs=0.01)


@given(st.lists(st.tuples(st.floats(0, 1), st.text("abc ", min_size=1, max_size=12)), max_size=6))
def test_labels_never_cover_each_other(wanted: list[tuple[float, str]]) -> None:
    marks = sorted((svg.Mark(x, words, "limit") for x, words in wanted), key=lambda mark: mark.x)
    placed: dict[int, list[tuple[float, float]]] = {}
    for mark, row in zip(marks, svg.rows_for(marks), strict=True):
        width = svg.LETTER_SHARE * len(mark.words)
        start = mark.x if mark.x < 0.5 else mark.x - width
        for other_start, other_end in placed.get(row, []):
            assert start >= other_end or start + width <= other_start
        placed.setdefault(row, []).append((start, start + width))


@given(st.floats(1e-6, 1e6), st.integers(1, 20))
def test_a_nice_step_parts_a_span_into_few_pieces(span: float, most: int) -> None:
    step = svg.nice_step(span, most)
    assert most * 0.3 - 1 <= span / step <= most + 1e-6


def test_texts_in_charts_are_escaped() -> None:
    part = svg.element("text", {"x": '"><script>\x1b'}, "<b>\x1b\u202e")
    assert part == r'<text x="&#34;&gt;&lt;script&gt;\x1b">&lt;b&gt;\x1b\u202e</text>'

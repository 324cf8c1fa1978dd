import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.events import SpeechScored
from harness.metrics import TrialLog
from reports.charts import curve as curves
from reports.charts.curve import MAX_POINTS, Curve, curves_of, draw_curve, filter_curve, thinned
from tests.metrics.logs import MIC, log_of, spoken
from tests.reports.charts.test_charts import of_class, parse, percent
from tests.reports.journals import OK, make_spec, played, write_run
from tests.reports.pages import Reader, page_of

POINT = st.tuples(st.floats(-5, 100), st.floats(-5, 100))


@given(st.lists(POINT, min_size=1, max_size=300), st.none() | POINT)
def test_any_curve_stays_in_its_picture(
    points: list[tuple[float, float]], chosen: tuple[float, float] | None
) -> None:
    chart = parse(draw_curve(Curve("c", "x", "y", points, chosen)))
    lines = of_class(chart, "curve")
    assert len(lines) == min(len(points), MAX_POINTS) - 1
    assert len(of_class(chart, "chosen")) == (chosen is not None)
    height = float(chart.get("height", ""))
    for line in lines:
        for end in ("1", "2"):
            assert -0.001 <= percent(line, f"x{end}") <= 100.001
            assert -0.001 <= float(line.get(f"y{end}", "")) <= height
    for dot in of_class(chart, "chosen"):
        assert 0 <= percent(dot, "cx") <= 100


def test_a_chosen_point_is_named_where_it_lies() -> None:
    curve = Curve("VAD", "false acceptance", "false rejection", [(0.0, 1.0), (1.0, 0.0)],
                  (0.25, 0.5), "threshold 0.5")  # fmt: skip
    chart = parse(draw_curve(curve))
    words = ["".join(text.itertext()) for text in chart.iter("text")]
    assert "false rejection over false acceptance" in words
    assert "threshold 0.5" in words
    (dot,) = of_class(chart, "chosen")
    (line,) = of_class(chart, "curve")
    assert percent(line, "x1") < percent(dot, "cx") < percent(line, "x2")
    assert "threshold 0.5: 0.25, 0.5" in chart.get("aria-label", "")


@given(st.integers(1, 2000))
def test_thinning_keeps_the_ends_and_the_order(count: int) -> None:
    points = [(float(index), 0.0) for index in range(count)]
    kept = thinned(points)
    assert len(kept) == min(count, MAX_POINTS)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert kept == sorted(set(kept))


def test_the_page_draws_what_a_trial_has(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_good(log: TrialLog) -> Curve | None:
        if log.spec.provider != "good":
            return None
        return Curve("<b>Loss</b>", "x", "y", [(0.0, 0.0), (1.0, 1.0)], note="less is better")

    monkeypatch.setattr(curves, "CURVES", [of_good, lambda log: Curve("none", "x", "y", [])])
    specs = [make_spec(name, duration_s=10) for name in ("good", "other")]
    run = write_run(
        tmp_path_factory.mktemp("runs"),
        [(spec, played(spec, [("a b", "a b")]), OK) for spec in specs],
    )
    assert curves_of(TrialLog(specs[1], [])) == []
    shown = Reader(page_of(run)).text
    assert shown.count("<b>Loss</b> : less is better") == 1


def test_the_filters_curve_has_the_threshold_in_force() -> None:
    scores = tuple([3] * 62 + [70] * 31 + [20] * 219)
    scored = SpeechScored(source=MIC, first_sample=0, percent=scores)
    curve = filter_curve(log_of(spoken("open it", 2.0), scored))
    assert curve is not None
    assert curve.chosen in curve.points
    assert curve.chosen_words == "opens at 0.4"
    assert filter_curve(log_of(spoken("open it", 2.0))) is None

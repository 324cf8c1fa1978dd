import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.run_folder import RunFolder
from harness.specs.trial import Activity, TrialStatus
from harness.verdicts.policy import Finding, Outcome, Policy, judge_run
from harness.verdicts.verdict import VerdictLevel
from reports.advice.advice import Advice, advise
from reports.advice.answer import answer_for
from reports.advice.candidates import Candidate, candidates_of, pareto_front
from reports.advice.pareto import pareto
from tests.reports.charts.test_charts import of_class, parse, percent
from tests.reports.journals import OK, checked, ended, make_spec, played, read_results, write_run

SAID = [("one two three four", "one two three four")]
Figures = tuple[float | None, float | None, float | None]
FIGURE = st.none() | st.just(0.0) | st.floats(1e-6, 10)
LATENCY = FIGURE | st.just(math.inf) | st.floats(-10, -1e-6)  # negative where word times are wrong


def candidate(
    number: int, latency_s: float | None = 1.0, wer: float | None = 0.05, cpu: float | None = 0.1,
    outcome: Outcome = Outcome.PASS, bounds: tuple[float, float] | None = None,
) -> Candidate:  # fmt: skip
    spec = make_spec("p", f"m{number}", chunk_s=float(number))
    return Candidate(number, spec, [], outcome, latency_s, wer, bounds, cpu)


def said(advice: Advice) -> str:
    return " / ".join([advice.headline, *advice.reasons])


def chosen(*candidates: Candidate) -> int | None:
    found = advise(candidates).chosen
    return found.number if found else None


def test_the_soonest_of_the_accurate_is_advised_and_why() -> None:
    slow, fast = candidate(1, latency_s=2.0), candidate(2, latency_s=1.0)
    found = advise([slow, fast])
    assert found.chosen is fast
    assert found.headline == "Use p, model m2, 2 s chunks"
    assert "it shows words soonest; the next takes 2\xa0s" in said(found)
    assert "its median word latency is 1\xa0s, its word error rate 5\xa0%" in said(found)


def test_accuracy_comes_before_speed_only_where_it_is_clear() -> None:
    accurate = candidate(1, latency_s=2.0, wer=0.05, bounds=(0.04, 0.06))
    sloppy = candidate(2, latency_s=1.0, wer=0.20, bounds=(0.18, 0.22))
    unclear = candidate(3, latency_s=1.0, wer=0.07, bounds=(0.05, 0.09))
    assert chosen(accurate, sloppy) == 1
    assert "it is the only one that accurate" in said(advise([accurate, sloppy]))
    assert chosen(accurate, sloppy, unclear) == 3
    assert "none is clearly more accurate" in said(advise([accurate, unclear]))


def test_of_two_that_nobody_can_tell_apart_the_cheaper_is_advised() -> None:
    dear, cheap = candidate(1, latency_s=1.0, cpu=0.5), candidate(2, latency_s=1.05, cpu=0.1)
    assert chosen(dear, cheap) == 2
    assert "as soon, it takes the least CPU" in said(advise([dear, cheap]))


def test_what_breaks_a_limit_is_never_advised() -> None:
    broken = candidate(1, latency_s=0.1, outcome=Outcome.FAIL)
    kept = candidate(2, outcome=Outcome.WARN)
    assert chosen(broken, kept) == 2
    assert "it keeps every minimum; 1 of 2 choices break one" in said(advise([broken, kept]))
    none = advise([broken])
    assert none.chosen is None
    assert none.headline == "Use none of these on this machine: the only choice measured breaks " \
        "a limit"  # fmt: skip
    assert advise([broken, broken]).headline.endswith("each of 2 choices breaks a limit")


def test_what_could_be_judged_comes_before_what_could_not() -> None:
    open_, judged = candidate(1, latency_s=0.5, outcome=Outcome.INCONCLUSIVE), candidate(2)
    assert chosen(open_, judged) == 2
    alone = advise([open_])
    assert alone.chosen is open_
    assert alone.headline.endswith(", as far as too few samples can tell")
    assert "measure longer" in said(alone)


def test_longer_measuring_is_advised_only_where_it_helps() -> None:
    absent = Finding(
        Outcome.INCONCLUSIVE, "cpu_over_speech_heavy", "add --scenario A", VerdictLevel.UNAVAILABLE
    )
    open_ = candidate(1, outcome=Outcome.INCONCLUSIVE)
    alone = advise([dataclasses.replace(open_, unjudged=(absent,))])
    assert alone.headline.endswith(", as far as the limits that could be judged can tell")
    assert "measure longer" not in said(alone)
    assert "can't be judged, such as cpu_over_speech_heavy: add --scenario A" in said(alone)


def test_without_figures_there_is_no_choice() -> None:
    assert advise([candidate(1, latency_s=None)]).headline == "No choice can be made"
    assert advise([]).headline == "Nothing was measured that could be chosen"


@given(st.lists(st.tuples(FIGURE, FIGURE, FIGURE), max_size=8))
def test_the_front_is_what_nothing_dominates(figures: list[Figures]) -> None:
    every = [candidate(n, *each) for n, each in enumerate(figures, 1)]
    front = pareto_front(every)
    known = [each for each in every if each.figures is not None]
    assert bool(front) == bool(known)
    for one in known:
        beaten = any(
            all(a <= b for a, b in zip(other.figures or (), one.figures or (), strict=True))
            and other.figures != one.figures
            for other in known
        )
        assert (one in front) is not beaten
    found = advise(every)
    assert (found.chosen is not None) == bool(known)


@given(st.lists(st.tuples(LATENCY, FIGURE, FIGURE), max_size=8))
def test_every_choice_that_can_be_drawn_is_in_both_charts(
    figures: list[Figures],
) -> None:
    every = [candidate(n, *each) for n, each in enumerate(figures, 1)]
    drawn = [each for each in every if each.figures and all(map(math.isfinite, each.figures))]
    charts = pareto(every, drawn[0] if drawn else None)
    assert len(charts) == (2 if drawn else 0)
    for chart in map(parse, charts):
        dots = of_class(chart, "choice front") + of_class(chart, "choice behind")
        assert len(dots) == len(drawn)
        assert len(of_class(chart, "ring")) == 1
        for dot in dots:
            assert 0 <= percent(dot, "cx") <= 100
            assert 0 <= float(dot.get("cy", "")) <= float(chart.get("height", ""))


def run_of(root: Path, models: Sequence[str]) -> RunFolder:
    trials = []
    for model in models:
        for name, rtf in (("speech_heavy", 0.1), ("silence", 0.05)):
            spec = make_spec("p", model, chunk_s=1.0, duration_s=120.0, name=name)
            trials.append((spec, played(spec, SAID, rtf=rtf), OK))
    return write_run(root, trials)


def test_scenarios_of_one_choice_are_one_candidate(tmp_path: Path) -> None:
    results, _ = read_results(run_of(tmp_path, ["a", "b"]))
    found = candidates_of(answer_for(judge_run(results, Policy(), True)).trials)
    assert [(each.number, each.spec.model, len(each.trials)) for each in found] == [
        (1, "a", 2), (2, "b", 2),
    ]  # fmt: skip
    assert found[0].latency_s == results[0].measurements["word_emission_latency"].statistic("p50")
    assert found[0].wer == 0.0


@pytest.mark.parametrize("what", ["crash", "contract"])
def test_a_crash_or_a_broken_rule_rules_a_choice_out(tmp_path: Path, what: str) -> None:
    spec = make_spec("p", "a", chunk_s=1.0, duration_s=120.0)
    contract = make_spec("p", "a", chunk_s=1.0, activity=Activity.CONFORMANCE)
    other = make_spec("p", "a", chunk_s=1.0, name="another")
    bad = (
        (other, [], ended(TrialStatus.PROVIDER_CRASH, "gone")) if what == "crash"
        else (contract, checked([("stops_in_time", "no")], []), OK)
    )  # fmt: skip
    results, _ = read_results(write_run(tmp_path, [(spec, played(spec, SAID), OK), bad]))
    (found,) = candidates_of(answer_for(judge_run(results, Policy(), True)).trials)
    assert found.outcome is Outcome.FAIL
    assert advise([found]).chosen is None
    assert (found.figures is None) == (what == "crash")

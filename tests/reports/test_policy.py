"""One journal through pytest, the page, the summary, the gate and the trends: one answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.errors import UsageError
from harness.journal.events import AnyEvent, TrialEnded
from harness.journal.run_folder import RunFolder
from harness.plugin.fixtures import Judged, TriedRule
from harness.plugin.summary import write_summary
from harness.specs.options import Options
from harness.specs.rules import CONTRACT
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from harness.verdicts.evaluate import TrialResult
from harness.verdicts.policy import (
    Outcome,
    Policy,
    TrialJudgement,
    judge_run,
    judge_trial,
    not_judged_here,
    worst,
)
from harness.verdicts.thresholds import FILE, read_thresholds
from reports.__main__ import main
from reports.commands.gate import STATUSES
from reports.formatting import SIGNS
from reports.run_page.html import render
from reports.runs import Run, read_run
from reports.tables.markdown import plain
from reports.tables.summary import run_summary
from reports.trends.history import record_of
from tests.reports.journals import OK, THRESHOLDS, checked, ended, make_spec, played, write_run
from tests.reports.pages import Reader

Trial = tuple[TrialSpec, Sequence[AnyEvent], TrialEnded | None]
SAID = [("one two three four", "one two three four")]
WALL_ONLY = ("cpu_over_speech_heavy", "vad_cpu")
NOT_HERE = f"not judged on this clock: {', '.join(WALL_ONLY)}; run with --clock wall"


def good(
    rtf: float = 0.1, duration_s: float = 120.0, name: str = "speech_heavy", by: str = "made_up"
) -> Trial:
    spec = make_spec(by, chunk_s=1.0, duration_s=duration_s, name=name)
    return spec, played(spec, SAID, rtf=rtf), OK


def silent() -> Trial:
    """Nothing is said, so there is no error rate and no latency."""
    spec = make_spec("silent", chunk_s=1.0, duration_s=120.0)
    return spec, played(spec, []), OK


def ending(status: TrialStatus) -> Trial:
    return make_spec(str(status)), [], ended(status, "it went wrong\n    | and more")


def rules(*broken: str) -> Trial:
    kept = [name for name in CONTRACT if name not in broken]
    spec = make_spec(activity=Activity.CONFORMANCE)
    return spec, checked([(name, "no") for name in broken], kept), OK


@dataclass(frozen=True)
class Case:
    """A run, how strict it is, and how it stands."""

    outcome: Outcome
    trials: Sequence[Trial]
    gate: Literal["target", "minimum"] = "minimum"
    strict: bool = False


VOID, BROKEN = ending(TrialStatus.VOID), next(iter(CONTRACT))
CASES = {
    "all pass": Case(Outcome.PASS, [good(), rules()]),
    "all pass, strictly": Case(Outcome.PASS, [good(), rules()], "target", strict=True),
    "a target is missed": Case(Outcome.WARN, [good(), good(0.6, by="slower")]),
    "a target is missed that the gate asks for": Case(Outcome.FAIL, [good(0.6)], "target"),
    "a minimum is broken": Case(Outcome.FAIL, [good(0.9)]),
    "a minimum is broken, gate target": Case(Outcome.FAIL, [good(0.9)], "target"),
    "too few samples": Case(Outcome.INCONCLUSIVE, [good(duration_s=20)]),
    "too few samples, gate target": Case(Outcome.INCONCLUSIVE, [good(duration_s=20)], "target"),
    "too few samples, strictly": Case(Outcome.FAIL, [good(duration_s=20)], strict=True),
    "a figure is absent": Case(Outcome.INCONCLUSIVE, [silent()]),
    "a figure is absent, strictly": Case(Outcome.FAIL, [silent()], strict=True),
    "a rule is broken": Case(Outcome.FAIL, [good(), rules(BROKEN)]),
    "a trial is void": Case(Outcome.INVALID, [good(), VOID]),
    "a trial is void, strictly": Case(Outcome.INVALID, [good(), VOID], strict=True),
    "a trial is void, another fails": Case(Outcome.INVALID, [good(0.9), VOID]),
    "the harness failed": Case(Outcome.INVALID, [good(), ending(TrialStatus.HARNESS_ERROR)]),
    "it was broken off": Case(Outcome.INVALID, [good(), (*good(by="another")[:2], None)]),
    "scenario C on the virtual clock": Case(Outcome.PASS, [good(name="silence_heavy")]),
    "scenario C, strictly": Case(Outcome.PASS, [good(name="silence_heavy")], strict=True),
    "nothing was measured": Case(Outcome.INVALID, []),
    **{f"it ended as {status}": Case(Outcome.FAIL, [good(), ending(status)])
       for status in (TrialStatus.PROVIDER_CRASH, TrialStatus.PROVIDER_ERROR, TrialStatus.TIMEOUT,
                      TrialStatus.BAD_OUTPUT, TrialStatus.BAD_INPUT, TrialStatus.UNSUPPORTED)},
}  # fmt: skip


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The limits of these tests, and the suites' two that hold on the wall clock only."""
    suites = FILE.read_text()
    tables = [re.search(rf"(?ms)^\[{name}\]$.*?(?=^\[|\Z)", suites) for name in WALL_ONLY]
    path = tmp_path_factory.mktemp("limits") / "thresholds.toml"
    path.write_text("\n".join([THRESHOLDS.read_text(), *(table[0] for table in tables if table)]))
    assert set(WALL_ONLY) <= set(read_thresholds(path))
    return path


def measured(folder: Path, case: Case, limits: Path) -> RunFolder:
    options = Options(gate=case.gate, strict=case.strict, thresholds=str(limits))
    return write_run(folder, case.trials, options)


class Screen:
    """Stands for pytest's terminal reporter."""

    fullwidth = 1000

    def __init__(self) -> None:
        self.text, self.config = "", self

    def get_terminal_writer(self) -> "Screen":
        return self

    def section(self, title: str, sep: str) -> None:
        self.text += f"{sep} {title}\n"

    def write(self, text: str, **markup: bool) -> None:
        self.text += text

    def write_line(self, text: str, **markup: bool) -> None:
        self.text += f"{text}\n"


def on_the_terminal(run: Run) -> str:
    screen: Any = Screen()
    write_summary(screen, run.folder, run.results, run.thresholds, [])
    return str(screen.text)


def tests_of(result: TrialResult, policy: Policy) -> set[str]:
    """What becomes of the tests that look at a trial."""
    looks: list[Judged | TriedRule] = [*(Judged(result, name, policy) for name in result.verdicts),
             *(TriedRule(result, name, policy) for name in result.checks)]  # fmt: skip
    return {became(look) for look in looks}


def became(look: Judged | TriedRule) -> str:
    try:
        look.check()
    except pytest.skip.Exception:
        return "skipped"
    except pytest.fail.Exception:
        return "failed"
    return "passed"


def allowed(trial: TrialJudgement, strict: bool) -> tuple[set[str], set[str]]:
    """What at least one of a trial's tests becomes, and what the others may become."""
    match trial.outcome:
        case Outcome.PASS | Outcome.WARN:
            return {"passed"}, set()
        case Outcome.INCONCLUSIVE:
            return {"skipped"}, {"passed"}
        case Outcome.INVALID if trial.result.status is TrialStatus.VOID and not strict:
            return {"skipped"}, set()
        case _:
            return {"failed"}, {"passed", "skipped"}


@pytest.mark.parametrize("name", CASES)
def test_all_give_the_same_answer(
    name: str, tmp_path: Path, limits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    folder = measured(tmp_path, case, limits)
    run = read_run(tmp_path, str(folder.path))
    policy = Policy(case.gate, case.strict)
    judged = judge_run(run.results, policy, folder.info.finished is not None)
    assert judged.outcome is case.outcome
    said = f"{judged.outcome}: {judged.sentence}"

    assert on_the_terminal(run).splitlines()[-2] == said
    for trial in judged.trials:
        some, others = allowed(trial, case.strict)
        assert some <= tests_of(trial.result, policy) <= some | others

    page = Reader(render(folder, run.results, run.thresholds, "limits"))
    assert f"answer advice {case.outcome}" in page.values("class")
    shown = judged.sentence[0].upper() + judged.sentence[1:]
    assert f"{SIGNS[case.outcome]} {shown}" in page.text
    chips = [trial.outcome for trial in judged.trials]
    for outcome in chips:
        assert f"chip {outcome}" in page.values("class")

    summary = run_summary(run.info, run.results, run.thresholds)
    assert summary.startswith(f"### {SIGNS[case.outcome]} {plain(shown)}\n")

    assert main(["gate", str(folder.path)]) == STATUSES[case.outcome]
    printed = capsys.readouterr().out
    assert f"{SIGNS[case.outcome]} {judged.sentence}\n" in printed
    assert f"gate: {case.outcome}: " in printed

    if case.trials:
        kept = record_of(run)
        assert (kept.outcome, kept.sentence) == (judged.outcome, judged.sentence)
    else:
        with pytest.raises(UsageError, match="no trial was completed"):
            record_of(run)


def test_what_another_clock_would_judge_is_said_once_and_nowhere_held_against_it(
    tmp_path: Path, limits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = measured(tmp_path, CASES["scenario C on the virtual clock"], limits)
    run = read_run(tmp_path, str(folder.path))
    (result,) = run.results
    assert not set(WALL_ONLY) & set(result.verdicts)
    page = Reader(render(folder, run.results, run.thresholds, "limits")).text
    for shown in (on_the_terminal(run), page, run_summary(run.info, run.results, run.thresholds)):
        text = shown.replace("&#95;", "_").replace("&#58;", ":")
        assert text.lower().count(NOT_HERE) == 1
        assert text.count(WALL_ONLY[0]) == 1
    assert "too few samples can tell" not in page
    assert "measure longer" not in page
    assert main(["gate", str(folder.path)]) == 0
    assert "vad_cpu" not in capsys.readouterr().out
    assert not_judged_here([make_spec()], run.thresholds) == []


def test_the_gate_may_ask_for_more_than_the_run_did(tmp_path: Path, limits: Path) -> None:
    folder = measured(tmp_path, Case(Outcome.WARN, [good(0.6)]), limits)
    assert main(["gate", str(folder.path)]) == 0
    assert main(["gate", str(folder.path), "--gate", "target"]) == 1


def test_findings_come_worst_first_and_decide(tmp_path: Path, limits: Path) -> None:
    spec = make_spec("bad", chunk_s=1.0, duration_s=120.0)
    bad = (spec, played(spec, [("one two three four", "five two")], rtf=0.6, drop_every=20), OK)
    folder = measured(tmp_path, Case(Outcome.FAIL, [bad]), limits)
    (result,) = read_run(tmp_path, str(folder.path)).results
    trial = judge_trial(result, Policy())
    order = list(Outcome)
    ranks = [order.index(finding.outcome) for finding in trial.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert {finding.subject for finding in trial.deciding} == {
        "wer", "dropped_chunks", "word_emission_p50",
    }  # fmt: skip
    assert all(finding.reason for finding in trial.deciding)


def test_outcomes_are_ordered_from_best_to_worst() -> None:
    assert list(Outcome) == ["pass", "warn", "inconclusive", "fail", "invalid"]
    for at, outcome in enumerate(Outcome):
        assert worst(list(Outcome)[: at + 1]) is outcome
    assert worst([]) is Outcome.PASS

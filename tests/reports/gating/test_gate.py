from pathlib import Path

import msgspec
import pytest

from harness.clock import ClockKind
from harness.specs.trial import TrialStatus
from harness.verdicts.policy import Outcome
from reports.formatting import SIGNS
from reports.gating import text
from reports.gating.decision import StoppingRule
from reports.gating.gate import Gate, GateResult, write_result
from reports.gating.plan import Gated, Plan
from tests.reports.gating.revisions import SPEC, Revision

pytestmark = pytest.mark.slow

PLAN = Plan(
    rule=StoppingRule(pairs=(5, 6), alpha=(0.04, 0.04)),
    repeats=1,
    timed={"inference": Gated(metric="speed", better="higher")},
    exact={"wer": Gated(metric="wer", better="lower")},
)


@pytest.fixture
def base(tmp_path: Path) -> Revision:
    revision = Revision(tmp_path / "base", "b0")
    revision.will(revision.run_of("plain"))
    return revision


@pytest.fixture
def head(tmp_path: Path) -> Revision:
    revision = Revision(tmp_path / "head", "a1")
    revision.will(revision.run_of("plain"))
    return revision


def gate(
    base: Revision, head: Revision, *, control: bool = False, longest_s: float = 60.0,
    plan: Plan = PLAN,
) -> GateResult:  # fmt: skip
    notes: list[str] = []
    result = Gate(base.tree, head.tree, plan, ["--provider=x"], control=control,
                  longest_s=longest_s, note=notes.append).run()  # fmt: skip
    lines = list(text.gate_lines(result))
    assert lines[-1].startswith(f"{SIGNS[result.outcome]} gate: {result.outcome}: ")
    assert result.reason in lines[-1]
    assert "::" not in text.gate_markdown(result)
    return result


def test_an_unchanged_tree_passes_at_the_first_look(base: Revision, head: Revision) -> None:
    result = gate(base, head, control=True)
    assert result.outcome is Outcome.PASS
    assert (result.pairs, result.runs, result.control) == (5, 2 + 5 * 3, "quiet")
    (timed,), (exact,) = result.timed, result.exact
    assert timed.decision.ratio == pytest.approx(1.0)
    assert (exact.metric, exact.outcome) == ("wer", Outcome.PASS)


def test_a_cost_fails_and_is_named(base: Revision, head: Revision, tmp_path: Path) -> None:
    head.will(head.run_of("slow", rtf=0.12))
    result = gate(base, head)
    assert result.outcome is Outcome.FAIL
    assert result.reason == "inference costs x 1.2"
    write_result(tmp_path / "made" / "result.json", result)
    kept = msgspec.json.decode((tmp_path / "made" / "result.json").read_bytes(), type=GateResult)
    assert kept.figures == result.figures
    assert kept.outcome is Outcome.FAIL


def test_words_that_got_lost_fail_whatever_the_speed(base: Revision, head: Revision) -> None:
    head.will(head.run_of("wrong", rtf=0.05, said=[("one two three", "one two")]))
    result = gate(base, head)
    assert (result.outcome, result.reason) == (Outcome.FAIL, "wer is worse in every run")


def test_a_cost_that_comes_and_goes_is_not_clear(base: Revision, head: Revision) -> None:
    slow = head.run_of("slow", rtf=0.2)
    head.will("plain", slow, "plain", slow, "plain", slow, "plain")
    result = gate(base, head)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.pairs == 6
    assert result.reason == "a cost is neither proven nor ruled out: inference"


def test_a_base_that_differs_from_itself_voids_the_gate(base: Revision, head: Revision) -> None:
    slow = base.run_of("slow", rtf=0.2)
    turns = ["plain", slow, slow, "plain"]  # base, control, control, base
    base.will("plain", *turns, *turns, *turns)
    head.will(head.run_of("slower", rtf=0.4))
    result = gate(base, head, control=True)
    assert (result.outcome, result.control) == (Outcome.INVALID, "alarm")
    assert result.reason.startswith("base differs from itself in inference")


def test_a_run_on_a_busy_machine_is_repeated(base: Revision, head: Revision) -> None:
    void = head.run_of("void", status=TrialStatus.VOID)
    head.will("plain", "plain", void, "plain", void, "plain")
    result = gate(base, head)
    assert (result.outcome, result.runs) == (Outcome.PASS, 12)
    head.will(void)
    result = gate(base, head)
    assert result.outcome is Outcome.INVALID
    assert "its trial ended as void: it fell over" in result.reason


@pytest.mark.parametrize("status", [TrialStatus.PROVIDER_CRASH, TrialStatus.TIMEOUT])
def test_a_provider_that_falls_over_fails_head_and_voids_base(
    base: Revision, head: Revision, status: TrialStatus
) -> None:
    head.will("plain", head.run_of("broken", status=status))
    result = gate(base, head)
    assert result.outcome is Outcome.FAIL
    assert f"its trial ended as {status}: it fell over" in result.reason
    head.will("plain")
    base.will("plain", base.run_of("broken", status=status))
    assert gate(base, head).outcome is Outcome.INVALID


def test_a_revision_that_cannot_run_voids_the_gate(base: Revision, head: Revision) -> None:
    head.will("plain", "exit 3")
    result = gate(base, head)
    assert result.outcome is Outcome.INVALID
    assert "pytest ended with 3: something went wrong" in result.reason
    head.will("exit 0")
    assert "no such run" in gate(base, head).reason


def test_revisions_that_cannot_be_compared_void_the_gate(base: Revision, head: Revision) -> None:
    head.will(head.run_of("corpus", corpus="d"))
    result = gate(base, head)
    assert result.outcome is Outcome.INVALID
    assert result.reason.startswith("can't be compared: contents of embedded: 'cccc")
    wall = msgspec.structs.replace(SPEC, clock=ClockKind.WALL)
    head.will(head.run_of("wall", spec=wall))
    assert gate(base, head).reason.startswith("can't be compared: the options select different")


def test_time_that_is_over_leaves_it_open(base: Revision, head: Revision) -> None:
    result = gate(base, head, longest_s=0.0)
    assert (result.outcome, result.pairs) == (Outcome.INCONCLUSIVE, 0)
    assert result.reason.startswith("stopped after 0 min; no pair was")


def test_a_figure_that_only_one_side_has_is_not_clear(base: Revision, head: Revision) -> None:
    head.will("plain", head.run_of("silent", said=[]))
    plan = Plan(rule=PLAN.rule, repeats=1, timed={"wer": Gated(metric="wer", better="lower")})
    result = gate(base, head, plan=plan)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.reason == "head has no figure for wer: nothing was spoken"
    base.will(base.run_of("silent", said=[]))
    head.will("silent")
    result = gate(base, head, plan=plan)
    assert (result.outcome, result.reason) == (
        Outcome.INVALID,
        "neither revision has any of the figures",
    )

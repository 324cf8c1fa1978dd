from pathlib import Path

import pytest

from harness.errors import DataFileError, JournalError, UsageError
from harness.metrics import METRICS, Measurement
from reports.gating.aa_controls import Control, add_control, distrust, read_controls
from reports.gating.plan import FILE, Gated, read_plan


def test_the_plan_that_is_shipped_holds_what_must_not_get_worse() -> None:
    plan = read_plan(FILE)
    assert (plan.rule.pairs, plan.rule.alpha) == ((8, 16, 24), (0.004, 0.003, 0.005))
    assert (plan.rule.fail_ratio, plan.rule.pass_ratio, plan.repeats) == (1.05, 1.10, 3)
    held = {gated.metric for gated in plan.exact.values()}
    assert {"wer", "dropped_chunks", "unaccounted_samples", "out_of_order_segments"} <= held
    assert {gated.metric for gated in plan.gated.values()} <= METRICS.keys()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing required field `timed`"),
        ('[timed.a]\nmetric = "speeed"\nbetter = "lower"', "did you mean 'speed'"),
        ('[timed.a]\nmetric = "speed"\nbetter = "faster"', "allowed: higher, lower"),
        ('[timed.a]\nmetric = "rtf"\nbetter = "lower"\nstatistic = "mean"', "is no percentile"),
        ('[timed.a]\nmetric = "wer"\nbetter = "lower"\nx = 1', "unknown field `x`"),
        ('[timed.a]\nmetric = "wer"\nbetter = "lower"\n[exact.a]\nmetric = "wer"\n'
         'better = "lower"', "a is both timed and exact"),
        ('[timed]\n[rule]\npairs = [3, 2]\nalpha = [0.1, 0.1]', "must grow from look to look"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_meant_is_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_plan(path)
    with pytest.raises(DataFileError, match="No such file"):
        read_plan(tmp_path / "nowhere.toml")


def test_less_is_made_better() -> None:
    speed = Gated(metric="speed", better="higher")
    assert (speed.cost_of(4.0), speed.cost_of(0.0)) == (0.25, float("inf"))
    rtf = Gated(metric="rtf", better="lower", statistic="p95")
    assert rtf.cost_of(4.0) == 4.0
    samples = Measurement(unit="1", samples=tuple(map(float, range(100))))
    assert rtf.value_of({"rtf": samples}) == 95.0
    assert rtf.value_of({"rtf": Measurement(unit="1", absent="none")}) is None
    assert rtf.value_of({"rtf": Measurement(unit="1", value=3.0)}) is None


def test_controls_are_kept_by_kind_of_machine(tmp_path: Path) -> None:
    path = tmp_path / "gates" / "controls.jsonl"
    assert read_controls(path, "mine") == []
    for number in range(150):
        add_control(path, Control("mine", "2026-01-01", number in (3, 60, 120)))
        add_control(path, Control("other", "2026-01-01", True))
    kept = read_controls(path, "mine")
    assert (len(kept), sum(each.alarm for each in kept)) == (100, 2)
    assert distrust(kept).startswith("2 of the last 100 controls alarmed")
    assert distrust(kept[60:]) == ""
    path.write_text("{}\n")
    with pytest.raises(JournalError, match=r"controls\.jsonl: can't be read"):
        read_controls(path, "mine")
    with pytest.raises(JournalError, match="can't be written"):
        add_control(tmp_path, Control("mine", "2026-01-01", False))

from pathlib import Path

import msgspec
import pytest

from harness.activities.conformance import RULES
from harness.journal.events import AnyEvent, TrialEnded
from harness.specs.trial import Activity, TrialSpec, TrialStatus
from reports.__main__ import main
from tests.reports.journals import OK, THRESHOLDS, checked, ended, make_spec, played, write_run

SAID = [("one two three four", "one two three four")]
WRONG = [("one two three four", "five two three four")]
Trial = tuple[TrialSpec, list[AnyEvent], TrialEnded | None]


def trial(rtf: float = 0.1, said: list[tuple[str, str]] = SAID, duration_s: float = 120.0) -> Trial:
    spec = make_spec(chunk_s=1.0, duration_s=duration_s)
    return spec, played(spec, said, rtf=rtf), OK


def gate(folder: Path, *trials: Trial, more: tuple[str, ...] = ()) -> int:
    run = write_run(folder, trials)
    return main(["gate", str(run.path), "--thresholds", str(THRESHOLDS), *more])


def failed(status: TrialStatus) -> Trial:
    return make_spec(), [], ended(status, "it went wrong\n    | and more")


def rules(*broken: str) -> Trial:
    kept = [name for name in RULES if name not in broken]
    spec = make_spec(activity=Activity.CONFORMANCE)
    return spec, checked([(name, "no") for name in broken], kept), OK


FIGURES = 5
"""That the file of thresholds judges."""
CASES: dict[str, tuple[int, list[Trial], tuple[str, ...], str]] = {
    "all is well": (0, [trial(), rules()], (), f"✓ gate: pass: {FIGURES + len(RULES)} judged"),
    "a minimum is broken": (1, [trial(rtf=0.9)], (), "✗ made_up-embedded-1s-speech_heavy: rtf_p95"),
    "a target is missed": (0, [trial(rtf=0.6)], (), "gate: pass"),
    "a target has to be kept": (1, [trial(rtf=0.6)], ("--gate", "target"), "gate: fail"),
    "too few samples": (2, [trial(duration_s=20)], (), "? gate: inconclusive"),
    "a rule is broken": (1, [trial(), rules(next(iter(RULES)))], (), f"breaks {next(iter(RULES))}"),
    "it crashed": (1, [trial(), failed(TrialStatus.PROVIDER_CRASH)], (), "provider_crash: it went"),
    "the machine was busy": (3, [trial(rtf=0.9), failed(TrialStatus.VOID)], (), "! gate: invalid"),
    "the harness failed": (3, [failed(TrialStatus.HARNESS_ERROR)], (), "! gate: invalid"),
    "it was broken off": (3, [(trial()[0], trial()[1], None)], (), "! the run was broken off"),
    "nothing was measured": (3, [], (), "! nothing was measured"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_status_says_how_it_stands(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, trials, more, words = CASES[case]
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    assert gate(tmp_path, *trials, more=(*more, "--markdown", str(summary))) == status
    assert words in capsys.readouterr().out
    assert summary.read_text().startswith("before\n### ")


def test_a_threshold_that_is_not_true_on_the_clock_is_not_held_against_it(tmp_path: Path) -> None:
    wall = tmp_path / "wall.toml"
    wall.write_text(
        '[wer]\nmetric = "wer"\ntarget = "< 0.1"\nminimum = "< 0.2"\nsource = "t"\n'
        '[rtf]\nmetric = "rtf"\nstatistic = "p95"\ntarget = "< 0.5"\nminimum = "< 0.8"\n'
        'clocks = ["wall"]\nsource = "t"\n'
    )
    run = write_run(tmp_path, [trial()])
    assert main(["gate", str(run.path), "--thresholds", str(wall)]) == 0
    only_wall = wall.read_text().partition("[rtf]")
    wall.write_text("".join(only_wall[1:]))
    assert main(["gate", str(run.path), "--thresholds", str(wall)]) == 3  # nothing is judged at all


def test_a_figure_that_is_absent_is_no_pass(tmp_path: Path) -> None:
    spec = make_spec(chunk_s=1.0, duration_s=120.0)
    assert gate(tmp_path, (spec, played(spec, []), OK)) == 2


def status_of(arguments: list[str]) -> object:
    """Of a command; argparse itself ends the process."""
    try:
        return main(arguments)
    except SystemExit as error:
        return error.code


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["latest", "--base", "HEAD"], ["nowhere"], ["--base", "HEAD", "--minutes", "x"],
        ["--base", "HEAD", "--plan", "nowhere.toml"], ["--base", "no/such/rev"], ["--what"],
    ],
)  # fmt: skip
def test_a_mistake_is_invalid_and_never_a_verdict(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(["gate", "--runs-dir", str(tmp_path), *arguments]) == 3
    printed, problem = capsys.readouterr()
    assert printed == ""
    assert "Traceback" not in problem


def test_a_crash_of_the_gate_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, [trial()])
    monkeypatch.setattr("reports.commands.gate.judge_run", lambda *_: 1 / 0)
    assert main(["gate", str(run.path)]) == 3
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_hostile_words_do_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "::error file=x::\x1b[31m<script>|a|\u202e##[group]@everyone"
    spec = make_spec(provider=words, model="[x](javascript:y)")
    summary = tmp_path / "summary.md"
    crashed: Trial = (spec, [], ended(TrialStatus.PROVIDER_CRASH, words))
    assert gate(tmp_path, crashed, more=("--markdown", str(summary))) == 1
    printed = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(printed)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in printed.splitlines())
    text = summary.read_text()
    assert not any(each in text for each in ("::", "##[", "<", "](", "@", "\x1b", "\u202e"))
    for row in text.splitlines()[2:]:
        assert row.count("|") == 3


def test_it_is_the_run_s_own_gate_that_holds(tmp_path: Path) -> None:
    run = write_run(tmp_path, [trial(rtf=0.6)])
    run.info = msgspec.structs.replace(
        run.info, options=msgspec.structs.replace(run.info.options, gate="target")
    )
    run.save()
    assert main(["gate", str(run.path), "--thresholds", str(THRESHOLDS)]) == 1

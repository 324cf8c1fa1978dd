import csv
import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.clock import ClockKind
from harness.journal.run_folder import Input, RunFolder, RunInfo
from harness.specs.trial import TrialSpec, TrialStatus
from reports.__main__ import main
from tests.reports.journals import OK, THRESHOLDS, ended, make_spec, played, write_run
from tests.reports.pages import Reader

SAID = [("one two three", "one two three"), ("four five", "four five")]
WRONG = [("one two three", "one too three"), ("four five", "five six")]


def run_in(folder: Path, rtf: float = 0.1, said: list[tuple[str, str]] = SAID,
           spec: TrialSpec | None = None) -> RunFolder:  # fmt: skip
    spec = spec or make_spec(chunk_s=1.0, duration_s=120.0)
    run = write_run(folder, [(spec, played(spec, said, rtf=rtf), OK)])
    inputs = {"embedded": Input("/corpus", 7, "c" * 64), "made_up/embedded": Input("/m", 7, "m")}
    return changed(run, inputs=inputs)


def changed(run: RunFolder, **changes: object) -> RunFolder:
    run.info = msgspec.structs.replace(run.info, **changes)
    run.save()
    return run


def compare(*runs: RunFolder, more: tuple[str, ...] = ()) -> int:
    return main(["compare", *(str(run.path) for run in runs), *more])


def test_what_differs_is_told_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, head = run_in(tmp_path / "a"), run_in(tmp_path / "b", rtf=0.3, said=WRONG)
    files = ("--csv", str(tmp_path / "c.csv"), "--html", str(tmp_path / "c.html"))
    assert compare(base, head, more=files) == 0
    printed = capsys.readouterr().out
    assert "✗ rtf p50" in printed
    assert "0.1 -> 0.3  worse" in printed
    assert "x 3; difference 0.2 to 0.2; Cliff's delta 1" in printed
    assert max(map(len, printed.splitlines())) <= 100
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text())))
    (row,) = (r for r in rows if (r["metric"], r["statistic"]) == ("rtf", "p50"))
    assert (row["change"], round(float(row["ratio"]), 6), row["schema"]) == ("worse", 3.0, "2")
    (wer,) = (r for r in rows if r["metric"] == "wer")
    assert wer["change"] == "worse"
    page = (tmp_path / "c.html").read_text()
    shown = Reader(page).text
    assert "worse" in shown
    assert base.info.run_id in shown
    assert page.count("<svg") == 1
    assert compare(base, head, more=files) == 0
    assert (tmp_path / "c.html").read_text() == page
    capsys.readouterr()


def test_a_run_does_not_differ_from_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_in(tmp_path)
    assert compare(run, run, run) == 0
    printed = capsys.readouterr().out
    assert printed.count("none worse or better") == 2
    assert "✗" not in printed


def machine(info: RunInfo) -> object:
    return msgspec.structs.replace(info.machine, chip="Another chip")


def inputs(name: str) -> Callable[[RunInfo], object]:
    return lambda info: {**info.inputs, name: Input("/other", 7, "another" * 9)}


UNLIKE: dict[str, tuple[str, Callable[[RunInfo], object], str]] = {
    "machine": ("machine", machine, "machine: "),
    "model": ("inputs", inputs("made_up/embedded"), "contents of made_up/embedded: 'm'"),
    "corpus": ("inputs", inputs("embedded"), "contents of embedded: "),
    "normaliser": ("normalizer", lambda info: "whisper-2", "text normaliser: 'echobench-1' and"),
    "schema": ("schema", lambda info: 99, "is of schema 99; allowed: schema 2"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_runs_that_cannot_be_compared_are_refused_with_the_reason(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    field, change, words = UNLIKE[what]
    base, head = run_in(tmp_path / "a"), run_in(tmp_path / "b")
    changed(head, **{field: change(head.info)})
    assert compare(base, head) == 2
    printed, problem = capsys.readouterr()
    assert printed == ""
    assert words in problem
    assert problem.count("\n") == 1


def test_a_kernel_update_changes_no_machine(tmp_path: Path) -> None:
    base, head = run_in(tmp_path / "a"), run_in(tmp_path / "b")
    newer = head.info.machine.system.replace(" ", " 99.", 1)
    changed(head, machine=msgspec.structs.replace(head.info.machine, system=newer, load_1min=9.0))
    assert compare(base, head) == 0


def test_other_clocks_and_other_trials_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = make_spec(chunk_s=1.0, duration_s=120.0)
    base = run_in(tmp_path / "a")
    wall = run_in(tmp_path / "b", spec=msgspec.structs.replace(spec, clock=ClockKind.WALL))
    assert compare(base, wall) == 2
    assert "'virtual' and 'wall'; allowed: runs on the same clock" in capsys.readouterr().err
    seed = run_in(tmp_path / "c", spec=msgspec.structs.replace(spec, seed=2))
    assert compare(base, seed) == 2
    assert "no trial that both completed" in capsys.readouterr().err
    broken = write_run(tmp_path / "d", [(spec, [], ended(TrialStatus.PROVIDER_CRASH, "gone"))])
    assert compare(base, broken) == 2
    assert "no trial that both completed" in capsys.readouterr().err
    assert compare(base) == 2
    assert "allowed: two runs or more" in capsys.readouterr().err


def test_hostile_names_do_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = make_spec("=cmd\x1b[31m<script>", "<img src=x>\u202e", chunk_s=1.0)
    runs = [run_in(tmp_path / each, spec=spec) for each in "ab"]
    files = ("--csv", str(tmp_path / "c.csv"), "--html", str(tmp_path / "c.html"))
    assert compare(*runs, more=files) == 0
    printed = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(printed)
    page = (tmp_path / "c.html").read_text()
    assert {"script", "img"} & set(Reader(page).tags) == set()
    assert not {"\x1b", "\u202e"} & set(page)
    assert ",'=cmd" in (tmp_path / "c.csv").read_text()


def test_its_thresholds_are_those_of_the_last_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, head = run_in(tmp_path / "a"), run_in(tmp_path / "b", rtf=0.3)
    own = tmp_path / "own.toml"
    own.write_bytes(
        THRESHOLDS.read_bytes().replace(b'"< 0.5"', b'"> 0.5"').replace(b"< 0.8", b"> 0.1")
    )
    changed(head, options=msgspec.structs.replace(head.info.options, thresholds=str(own)))
    assert compare(base, head) == 0
    assert "0.1 -> 0.3  better" in capsys.readouterr().out

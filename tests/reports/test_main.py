import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.journal.events import SCHEMA
from harness.journal.run_folder import RunFolder
from harness.verdicts.thresholds import FILE
from reports.__main__ import main
from reports.write import write_reports
from tests.reports.journals import OK, make_spec, played, read_results, write_run

ROOT = Path(__file__).parents[2]
NAMES = ["report.html", "summary.md", "verdicts.csv", "figures.csv", "chunks.csv"]
SAID = [("one two", "one two")]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    spec = make_spec(duration_s=10)
    return write_run(tmp_path / "runs", [(spec, played(spec, SAID), OK)])


@pytest.mark.parametrize("how", ["id", "path", "latest"])
def test_a_run_is_rendered_again_as_it_was(
    run: RunFolder, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results, _ = read_results(run, FILE)
    first = write_reports(run, results, FILE)
    before = [path.read_bytes() for path in first]
    for path in first:
        path.unlink()
    name = {"id": run.info.run_id, "path": str(run.path), "latest": "latest"}[how]
    assert main(["render", name, "--runs-dir", str(run.path.parent)]) == 0
    written, problems = capsys.readouterr()
    assert [Path(line).name for line in written.splitlines()] == NAMES
    assert [Path(line).read_bytes() for line in written.splitlines()] == before
    assert problems == ""
    assert sorted(path.name for path in run.path.iterdir()) == sorted(
        [*NAMES, "journal.jsonl", "run.json"]
    )


def test_other_thresholds_give_other_verdicts(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(
        '[wer]\nmetric = "wer"\ntarget = "< 0"\nminimum = "< 0"\nsource = "this test"\n'
    )
    assert main(["render", str(run.path), "--thresholds", str(strict)]) == 0
    capsys.readouterr()
    page = (run.path / "report.html").read_text()
    assert "The trial fails" in page
    assert "this test" in page
    assert (run.path / "verdicts.csv").read_text().count("\n") == 2


def damage(path: Path, change: Callable[[bytes], bytes]) -> None:
    old = path.read_bytes()
    path.write_bytes(change(old))
    assert path.read_bytes() != old


def put_a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[RunFolder], None]] = {
    "no journal": lambda run: run.journal.unlink(),
    "a journal that is a folder": lambda run: put_a_folder_there(run.journal),
    "a changed line": lambda run: damage(
        run.journal, lambda old: old.replace(b"utterance", b"ecnarettu")
    ),
    "another schema": lambda run: damage(
        run.path / "run.json", lambda old: old.replace(b'"schema": %d' % SCHEMA, b'"schema": 99')
    ),
    "half of run.json": lambda run: damage(run.path / "run.json", lambda old: old[:90]),
    "no text in run.json": lambda run: damage(run.path / "run.json", lambda old: b"\xff\xfe\0"),
    "an empty run.json": lambda run: damage(run.path / "run.json", lambda old: b""),
    "no run.json": lambda run: (run.path / "run.json").unlink(),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_run_is_told_in_one_line(
    run: RunFolder, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[kind](run)
    assert main(["render", run.info.run_id, "--runs-dir", str(run.path.parent)]) == 2
    written, problem = capsys.readouterr()
    assert written == ""
    assert problem.count("\n") == 1
    assert run.info.run_id in problem
    assert not (run.path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["20200101-000000-0001"], "run 20200101-000000-0001: no such run"),
        (["\x1b[31mred\nline"], r"run \x1b[31mred line: no such run"),
        (["latest", "--runs-dir", "/nowhere"], "run latest: no such run"),
    ],
)
def test_a_missing_run_is_told_in_one_line(
    tmp_path: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "--runs-dir", str(tmp_path), *arguments]) == 2
    written, problem = capsys.readouterr()
    assert written == ""
    assert problem.startswith(words)
    assert problem.count("\n") == 1


def test_thresholds_that_are_not_there_are_told(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(run.path), "--thresholds", "nowhere.toml"]) == 2
    assert capsys.readouterr().err.startswith("nowhere.toml: ")


def test_a_run_that_was_cut_off_in_a_line_still_gives_a_report(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(run.journal, lambda old: old[: len(old) // 2])
    assert main(["render", str(run.path)]) == 0
    assert "interrupted: the run ended before the trial" in (run.path / "report.html").read_text()
    capsys.readouterr()


@pytest.mark.slow
def test_as_a_command(run: RunFolder) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "reports", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = command("render", "latest", "--runs-dir", str(run.path.parent))
    assert (done.returncode, done.stderr) == (0, "")
    missing = command("render", "nothing")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "Traceback" not in missing.stderr
    assert command().returncode == 2

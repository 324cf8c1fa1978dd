"""What is no run, or half of one, is told in one line by every command, and no verdict is made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.journal.run_folder import RunFolder
from reports.__main__ import main
from tests.reports.journals import OK, make_spec, played, write_run

SPEC = make_spec(chunk_s=1.0, duration_s=60.0)
SAID = [("one two", "one two")]
STATUS = {"render": 2, "compare": 2, "gate": 3, "trend": 2}


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def empty(run: RunFolder) -> None:
    for path in run.path.iterdir():
        path.unlink()


def other_events(run: RunFolder) -> None:
    from harness.journal.journal import seal

    run.journal.write_bytes(seal(1, b'{"kind":"from_the_future","at_s":1.0}'))


def events_without_a_trial(run: RunFolder) -> None:
    change(run.journal, lambda old: b"\n".join(old.splitlines()[1:]) + b"\n")


BAD: dict[str, tuple[Callable[[RunFolder], None], str]] = {
    "an empty folder": (empty, "no such run"),
    "a run of something else": (
        lambda run: change(run.path / "run.json", lambda old: b'{"name": "other tool"}'),
        "missing required field `schema`",
    ),
    "a run.json of another schema, whatever else is in it": (
        lambda run: change(run.path / "run.json", lambda old: b'{"schema": 7, "x": []}'),
        "is of schema 7; allowed: schema 2",
    ),
    "half a run.json": (
        lambda run: change(run.path / "run.json", lambda old: old[:100]), "run.json: "
    ),
    "a journal that isn't there": (lambda run: run.journal.unlink(), "no such file"),
    "a journal with events of another version": (other_events, "is of another schema"),
    "a journal without its beginning": (events_without_a_trial, "is of another schema"),
    "a journal with a changed line": (
        lambda run: change(run.journal, lambda old: old.replace(b'"depth":1', b'"depth":2', 1)),
        "is damaged",
    ),
    "a journal that is no journal": (
        lambda run: change(run.journal, lambda old: b"\x00\xff" * 500 + b"\n"), "is damaged"
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", STATUS)
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_run_is_told(
    tmp_path: Path, kind: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, words = BAD[kind]
    run = write_run(tmp_path / "bad", [(SPEC, played(SPEC, SAID), OK)])
    good = write_run(tmp_path / "good", [(SPEC, played(SPEC, SAID), OK)])
    damage(run)
    arguments = {
        "render": ["render", str(run.path)],
        "compare": ["compare", str(good.path), str(run.path)],
        "gate": ["gate", str(run.path)],
        "trend": ["trend", "--add", str(run.path), "--history", str(tmp_path / "history")],
    }[command]
    assert main(arguments) == STATUS[command]
    printed, problem = capsys.readouterr()
    assert printed == ""
    assert words in problem
    assert problem.count("\n") == 1
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_of_a_journal_that_was_cut_off_what_is_whole_is_used(
    tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, [(SPEC, played(SPEC, SAID), OK)])
    change(run.journal, lambda old: old[: int(share * len(old))])
    assert main(["render", str(run.path)]) == 0
    assert main(["gate", str(run.path)]) == 3
    capsys.readouterr()
    page = (run.path / "report.html").read_text()
    assert "interrupted" in page or "Nothing was measured" in page
    assert (run.path / "verdicts.csv").is_file()


def test_an_empty_journal_gives_a_page_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, [])
    assert main(["render", str(run.path)]) == 0
    assert "Nothing was measured that could be chosen" in (run.path / "report.html").read_text()
    assert main(["gate", str(run.path)]) == 3
    assert "nothing was measured" in capsys.readouterr().out

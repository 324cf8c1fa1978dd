from pathlib import Path

import msgspec
import pytest

from harness.errors import JournalError, UsageError
from harness.journal.run_folder import Input, RunFolder
from harness.specs.trial import TrialStatus
from reports.__main__ import main
from reports.runs import read_run
from reports.trends.history import (
    Record,
    add_record,
    read_file,
    read_history,
    record_of,
    slug,
)
from tests.reports.gating.test_worktrees import git_in
from tests.reports.journals import OK, THRESHOLDS, ended, make_spec, played, write_run
from tests.reports.pages import Reader

SAID = [("one two three", "one two three")]
SPEC = make_spec(chunk_s=1.0, duration_s=60.0)
CLASS = "AMD EPYC, 2/2 cores, 24 GiB, Linux x86_64"


def run_in(folder: Path, rtf: float = 0.1, **changes: object) -> RunFolder:
    run = write_run(folder, [(SPEC, played(SPEC, SAID, rtf=rtf), OK)])
    run.info = msgspec.structs.replace(run.info, **changes)
    run.save()
    return run


def record(night: int, rtf: float, revision: str = "a" * 40, machine: str = CLASS) -> Record:
    figures = {"whisper_cpp-1s #abc": {"rtf p95": rtf, "wer": 0.05}}
    started = f"2026-{3 + night // 28:02}-{night % 28 + 1:02}"
    return Record(
        schema=1, run_id=f"run-{night:03}", started=started,
        revision=revision, machine_class=machine, figures=figures,  # type: ignore[arg-type]
        units={"rtf p95": "1", "wer": "1"},
    )  # fmt: skip


def trend(history: Path, *more: str) -> int:
    return main(["trend", "--history", str(history), "--thresholds", str(THRESHOLDS), *more])


def test_a_run_is_kept_in_a_small_line_and_only_once(tmp_path: Path) -> None:
    run = run_in(tmp_path / "runs", revision="abc123+")
    for _ in range(2):
        assert trend(tmp_path / "history", "--add", str(run.path)) == 0
    (path,) = (tmp_path / "history").iterdir()
    assert len(path.read_bytes()) < 4000
    (kept,) = read_file(path)
    assert (kept.run_id, kept.revision) == (run.info.run_id, "abc123+")
    ((series, figures),) = kept.figures.items()
    assert series.startswith("made_up-embedded-1s-speech_heavy #")
    assert figures["rtf p95"] == pytest.approx(0.1)
    assert "residency_slope" in figures
    assert kept.units["startup_time"] == "s"
    assert path.stem == slug(kept.machine_class)


def test_what_never_came_and_what_is_absent(tmp_path: Path) -> None:
    run = write_run(tmp_path, [(SPEC, played(SPEC, [("a b", "c")]), OK)])
    (figures,) = record_of(read_run(tmp_path, str(run.path))).figures.values()
    assert figures["word_emission_latency p50"] == "never"
    assert "stable_words_retracted" not in figures


def test_a_series_ends_where_the_model_or_the_corpus_changes(tmp_path: Path) -> None:
    names: set[str] = set()
    for model, corpus in (("m", "c"), ("n", "c"), ("m", "d"), ("m", "c")):
        inputs = {"made_up/embedded": Input("/m", 1, model), "embedded": Input("/c", 1, corpus)}
        run = run_in(tmp_path / f"{model}{corpus}{len(names)}", inputs=inputs)
        names |= set(record_of(read_run(tmp_path, str(run.path))).figures)
    assert len(names) == 3
    assert len({name.partition(" #")[0] for name in names}) == 1


def test_a_run_without_figures_is_not_kept(tmp_path: Path) -> None:
    run = write_run(tmp_path, [(SPEC, [], ended(TrialStatus.VOID, "busy"))])
    with pytest.raises(UsageError, match="no trial was completed"):
        record_of(read_run(tmp_path, str(run.path)))


def test_it_says_what_moved_and_between_which_commits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history"
    for night in range(40):
        rtf = (0.2 if night < 25 else 0.3) * (1 + 0.01 * (night % 5))
        add_record(history, record(night, rtf, f"{night:02}" + 38 * "a"))
        add_record(history, record(night, 0.2, f"{night:02}" + 38 * "a", "Another, 8/8 cores"))
    page = tmp_path / "trend.html"
    assert trend(history, "--html", str(page)) == 0
    printed = capsys.readouterr().out
    assert (
        "40 runs on AMD EPYC, 2/2 cores, 24 GiB, Linux x86_64: 1 figure got persistently worse"
        in printed
    )
    assert "40 runs on Another, 8/8 cores: no figure got persistently worse" in printed
    assert "worse: rtf p95 0.204 -> 0.306\n" in printed
    commits = "24aaaaaaaa..25aaaaaaaa"
    assert commits in printed
    shown = Reader(page.read_text()).text
    assert "2026-03-26" in shown
    assert commits in shown
    before = page.read_bytes()
    assert trend(history, "--html", str(page)) == 0
    assert page.read_bytes() == before


def test_commits_are_named_where_git_knows_them(tmp_path: Path) -> None:
    from reports.compare.differences import Change
    from reports.trends.change_points import ChangePoint
    from reports.trends.series import Moved, commit_subjects

    git_in(tmp_path, "init", "--quiet")
    for word in ("first", "<b>second", "third"):
        git_in(tmp_path, "commit", "--quiet", "--allow-empty", "--message", word)
    moved = Moved(
        ChangePoint(1, 1.0, 2.0, 0.001), Change.WORSE, record(0, 1.0, "HEAD~2"),
        record(1, 1.0, "HEAD+"),
    )  # fmt: skip
    assert [line.split(" ")[1] for line in commit_subjects(tmp_path, moved)] == [
        "third", "<b>second",
    ]  # fmt: skip
    nowhere = msgspec.structs.replace(record(0, 1.0), revision=None)
    unknown = Moved(moved.change, moved.level, nowhere, moved.first_after)
    assert commit_subjects(tmp_path, unknown) == []
    assert unknown.commits == "unknown..HEAD+"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("half a li", "line 1: JSON is malformed"),
        ('{"schema":1}', "missing required field"),
        (msgspec.json.encode(record(0, 1.0)).decode().replace(":1,", ":9,", 1), "is of schema 9"),
    ],
)
def test_a_damaged_history_is_told(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "m.jsonl").write_text(content + "\n")
    with pytest.raises(JournalError, match=words):
        read_history(tmp_path)


def test_an_empty_history_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trend(tmp_path) == 2
    assert "holds no run; allowed: a folder that `trend --add` filled" in capsys.readouterr().err


def test_hostile_names_do_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = record(0, 1.0, "<script>\x1b\u202e", "<img src=x>\x1b\u202e")
    add_record(tmp_path, msgspec.structs.replace(bad, figures={"<svg>\x1b": {"wer": 1.0}}))
    page = tmp_path / "trend.html"
    assert trend(tmp_path, "--html", str(page)) == 0
    printed = capsys.readouterr().out
    for text in (printed, page.read_text()):
        assert not {"\x1b", "\u202e"} & set(text)
    assert {"img", "script"} & set(Reader(page.read_text()).tags) == set()

"""The commands of the workflows' steps, run here; the services behind them are stand-ins."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from harness.journal.journal import read_journal
from harness.journal.run_folder import RunFolder
from harness.specs.trial import TrialStatus
from harness.verdicts.evaluate import TrialResult, evaluate
from harness.verdicts.thresholds import FILE, read_thresholds
from reports.write import write_reports
from tests.reports.gating.test_worktrees import git_in
from tests.reports.journals import OK, ended, make_spec, played, write_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SAID = [("one two three", "one two three")]
GH = """#!/usr/bin/env bash
# Does what gh would, as far as .ci/tell needs it: keeps what it was asked to say.
case "$1 $2" in
  "issue list") cat "$GH_STATE/open" 2>/dev/null || true ;;
  "issue create") echo 7 >"$GH_STATE/open"; cp "${@: -1}" "$GH_STATE/created" ;;
  "issue comment") cp "${@: -1}" "$GH_STATE/commented" ;;
  *) exit 9 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone in which `.ci` works on this Python, with an origin that can be pushed to."""
    origin, clone = tmp_path / "origin.git", tmp_path / "project"
    git_in(tmp_path, "init", "--quiet", "--bare", str(origin))
    clone.mkdir()
    git_in(clone, "init", "--quiet")
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    (clone / ".gitignore").write_text("runs\n.venv\nnightly\n*.html\n*.md\n")
    git_in(clone, "add", "--all")
    git_in(clone, "commit", "--quiet", "--message", "one")
    git_in(clone, "remote", "add", "origin", str(origin))
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec env PYTHONPATH={ROOT} {sys.executable} "$@"\n')
    python.chmod(0o755)
    return clone


def run(project: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    summary = str(project / "summary.md")
    return subprocess.run(
        ["bash", *command], cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "GITHUB_STEP_SUMMARY": summary, **more},
    )  # fmt: skip


def measured(root: Path, rtf: float, duration_s: float = 120.0) -> RunFolder:
    spec = make_spec(chunk_s=1.0, duration_s=duration_s)
    folder = write_run(root, [(spec, played(spec, SAID, rtf=rtf), OK)])
    folder.info = msgspec.structs.replace(folder.info, revision="a" * 40)
    folder.save()
    results: list[TrialResult] = list(
        evaluate(read_journal(folder.journal), read_thresholds(FILE)).values()
    )
    write_reports(folder, results, FILE)
    return folder


def test_judging_fails_warns_or_passes(project: Path) -> None:
    slow = measured(project / "runs", rtf=0.9)
    failed = run(project, ".ci/judge", slow.info.run_id)
    assert failed.returncode == 1, failed.stderr
    assert "rtf_p95" in failed.stdout
    short = measured(project / "short", rtf=0.1, duration_s=20.0)
    shutil.move(short.path, project / "runs" / "short")
    unclear = run(project, ".ci/judge", "short")
    assert unclear.returncode == 0
    assert "::warning title=verdicts::" in unclear.stdout
    broken = run(project, ".ci/judge", "nothing")
    assert broken.returncode not in (0, 2)
    summary = (project / "summary.md").read_text()
    assert "✗ Gate: fail" in summary
    assert "? Gate: inconclusive" in summary


def test_what_a_command_prints_is_no_workflow_command(project: Path) -> None:
    done = run(project, ".ci/quietly", "sh", "-c", "echo ::error::x; exit 3")
    first, said, last = done.stdout.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert (said, last, done.returncode) == ("::error::x", f"::{token}::", 3)


def test_history_grows_on_a_branch_of_its_own(project: Path, tmp_path: Path) -> None:
    before = subprocess.check_output(["git", "status", "--porcelain"], cwd=project)
    for night in range(2):
        nightly = project / "nightly"
        shutil.rmtree(nightly, ignore_errors=True)
        measured(nightly / "report-a", rtf=0.1 + night)
        write_run(nightly / "report-b", [(make_spec(), [], ended(TrialStatus.VOID, "busy"))])
        (nightly / "controls").mkdir()
        (nightly / "controls" / "controls.jsonl").write_text(f"{night}\n")
        done = run(project, ".ci/history", "nightly")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("::warning title=history::") == 1
    git_in(tmp_path, "clone", "--quiet", "--branch", "nightly-history", "origin.git", "kept")
    kept = tmp_path / "kept"
    assert (kept / "controls.jsonl").read_text() == "1\n"
    (lines,) = (path.read_text().splitlines() for path in (kept / "history").iterdir())
    assert len(lines) == 2
    assert {path.name for path in kept.iterdir()} == {".git", "controls.jsonl", "history"}
    assert "2 runs on" in (project / "summary.md").read_text()
    assert (project / "trend.html").read_text().startswith("<!doctype html>")
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=project) == before
    assert subprocess.check_output(["git", "worktree", "list"], cwd=project).count(b"\n") == 1


def test_an_issue_is_opened_once_and_then_added_to(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    measured(project / "nightly" / "report-a", rtf=0.9)
    more = {"PATH": f"{tools}:{os.environ['PATH']}", "GH_STATE": str(tmp_path),
            "RUN_URL": "https://example.invalid/run/1"}  # fmt: skip
    for name in ("created", "commented"):
        done = run(project, ".ci/tell", "nightly", **more)
        assert done.returncode == 0, done.stderr
        body = (tmp_path / name).read_text()
        assert "<https://example.invalid/run/1#artifacts>" in body
        assert "### ✗ The trial fails" in body


def test_measuring_keeps_the_junit_file_with_the_run(tmp_path: Path) -> None:
    clone = tmp_path / "project"
    clone.mkdir()
    for name in ("harness", "providers", "corpora", "models", "suites", "reports", "conftest.py",
                 "pyproject.toml", ".venv"):  # fmt: skip
        (clone / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    command = [".ci/measure", "whisper_cpp", "embedded", "2", "--duration", "10", "-k", "test_rtf"]
    done = run(clone, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (clone / "runs" / "latest" / "junit.xml").is_file()
    assert (clone / "runs" / "latest" / "report.html").is_file()
    unknown = run(clone, ".ci/measure", "whisper_cp", "embedded", "2")
    assert unknown.returncode == 4, unknown.stdout

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.support.git import git
from reports.gating.worktrees import PREFIX, checked_out, remove_left_behind, working_state


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of three commits, with code that could be the harness'."""
    top = tmp_path / "project"
    (top / "harness").mkdir(parents=True)
    (top / "harness" / "__init__.py").touch()
    (top / "pyproject.toml").write_text("")
    (top / "Makefile").write_text(
        ".venv/.ready:\n\t$(PYTHON) -m venv --without-pip .venv\n\t@touch $@\n"
    )
    git_in(top, "init", "--quiet")
    for text in ("one", "two", "three"):
        (top / "harness" / "plugin.py").write_text(f"NAME = {text!r}\n")
        git_in(top, "add", "--all")
        git_in(top, "commit", "--quiet", "--message", text)
    return top


def git_in(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def names(repository: Path) -> list[str]:
    return [line.split("/")[-2] for line in git(repository, "worktree", "list").splitlines()]


def test_each_revision_is_run_by_its_own_code_and_nothing_remains(repository: Path) -> None:
    before = git(repository, "status", "--porcelain"), names(repository)
    with checked_out(repository, ["HEAD~2", "HEAD"]) as trees:
        said = [
            subprocess.check_output(
                [tree.python, "-c", "import harness.plugin; print(harness.plugin.NAME)"],
                cwd=tree.folder, env=tree.environment, text=True,
            ).strip()
            for tree in trees
        ]  # fmt: skip
        assert said == ["one", "three"]
        root = trees[0].folder.parent
    assert not root.exists()
    assert (git(repository, "status", "--porcelain"), names(repository)) == before


def test_the_working_state_has_what_is_not_committed(repository: Path) -> None:
    assert working_state(repository) == git(repository, "rev-parse", "HEAD")
    (repository / "harness" / "plugin.py").write_text("NAME = 'four'\n")
    with checked_out(repository, [working_state(repository)]) as (tree,):
        assert "four" in (tree.folder / "harness" / "plugin.py").read_text()
    assert "four" in (repository / "harness" / "plugin.py").read_text()
    assert git(repository, "stash", "list") == ""


def test_an_interruption_leaves_nothing(repository: Path) -> None:
    roots = []

    def interrupted() -> None:
        with checked_out(repository, ["HEAD"]) as (tree,):
            roots.append(tree.folder.parent)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not roots[0].exists()
    assert len(names(repository)) == 1


def test_what_a_killed_gate_left_is_removed_by_the_next(repository: Path, tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, running = (tmp_path / f"{PREFIX}{pid}-x" for pid in (dead.pid, os.getpid()))
    for root in (left, running):
        root.mkdir()
        git(repository, "worktree", "add", "--detach", str(root / "0-abc"), "HEAD")
    remove_left_behind(repository)
    assert (left.exists(), running.exists()) == (False, True)
    assert len(names(repository)) == 2


@pytest.mark.parametrize("revision", ["nonsense", "--help", ""])
def test_an_unknown_revision_is_told(repository: Path, revision: str) -> None:
    with (
        pytest.raises(UsageError, match=r"git rev-parse .*allowed: a revision"),
        checked_out(repository, [revision]),
    ):
        pass
    assert len(names(repository)) == 1


def test_code_that_cannot_be_imported_is_told(repository: Path) -> None:
    (repository / "harness" / "plugin.py").write_text("import nothing_like_it\n")
    with (
        pytest.raises(UsageError, match="nothing_like_it"),
        checked_out(repository, [working_state(repository)]),
    ):
        pass


def test_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"), checked_out(tmp_path, ["HEAD"]):
        pass


def test_a_revision_with_other_dependencies_gets_its_own_python(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("# other packages\n")
    git_in(repository, "add", "--all")
    git_in(repository, "commit", "--quiet", "--message", "four")
    with checked_out(repository, ["HEAD~1", "HEAD"]) as (old, new):
        assert new.python == sys.executable
        assert old.python != sys.executable

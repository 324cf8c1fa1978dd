"""Checks out revisions of the project in temporary worktrees, ready to run."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.errors import UsageError
from harness.support.git import git

PREFIX = "echobench-gate-"
DEPENDENCIES = ("pyproject.toml", "constraints.txt")
SET_UP_S = 900.0
"""Timeout for installing a revision's dependencies."""


@dataclass(frozen=True)
class Tree:
    """A revision that can be run."""

    commit: str
    folder: Path
    python: str
    """The interpreter with the revision's dependencies."""

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which this revision's code is imported first."""
        return {**os.environ, "PYTHONPATH": str(self.folder)}


@contextlib.contextmanager
def checked_out(repository: Path, revisions: Sequence[str]) -> Iterator[list[Tree]]:
    """Check out revisions, and remove them afterwards in any case.

    Worktrees left by a gate that was killed are removed too.

    Args:
        repository: Any folder of the repository.
        revisions: Names that git knows.

    Raises:
        UsageError: It isn't a repository, or a revision is unknown or can't be set up.
    """
    remove_left_behind(repository)
    commits = [commit_of(repository, revision) for revision in revisions]
    root = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    try:
        trees = []
        for number, commit in enumerate(commits):
            folder = root / f"{number}-{commit[:12]}"
            git(repository, "worktree", "add", "--detach", "--force", str(folder), commit)
            trees.append(Tree(commit, folder, _python_for(repository, folder)))
        for tree in trees:
            _require_own_code(tree)
        yield trees
    finally:
        _remove(repository, root)


def working_state(repository: Path) -> str:
    """Return a commit of the working tree with uncommitted changes of tracked files.

    The working tree and the branch stay unchanged.
    """
    identity = ("-c", "user.name=echobench", "-c", "user.email=echobench@localhost")
    return git(repository, *identity, "stash", "create") or commit_of(repository, "HEAD")


def commit_of(repository: Path, revision: str) -> str:
    """Return the commit of a revision.

    Raises:
        UsageError: There is none.
    """
    return git(repository, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def remove_left_behind(repository: Path) -> None:
    """Remove worktrees of gates that no longer run."""
    for line in git(repository, "worktree", "list", "--porcelain").splitlines():
        root = Path(line.removeprefix("worktree ")).parent
        left = re.fullmatch(rf"{PREFIX}(\d+)-.*", root.name)
        if line.startswith("worktree ") and left and not psutil.pid_exists(int(left[1])):
            _remove(repository, root)


def _remove(repository: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    git(repository, "worktree", "prune")


def _python_for(repository: Path, folder: Path) -> str:
    """Return this interpreter if its dependencies match, else one set up for the revision."""
    top = Path(git(repository, "rev-parse", "--show-toplevel"))
    if all(_content(top / name) == _content(folder / name) for name in DEPENDENCIES):
        return sys.executable
    command = ["make", ".venv/.ready", f"PYTHON={sys.executable}"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SET_UP_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"setting up {folder.name}", str(error), "make, within time") from error
    if done.returncode:
        problem = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise UsageError(f"setting up {folder.name}", problem, "a revision that `make` can set up")
    return str(folder / ".venv" / "bin" / "python")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _require_own_code(tree: Tree) -> None:
    """Check that a revision is measured by its own code, not by an installed copy."""
    script = "import harness.plugin; print(harness.plugin.__file__)"
    done = subprocess.run(
        [tree.python, "-c", script], cwd=tree.folder, env=tree.environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = Path(done.stdout.strip() or "nowhere")
    if done.returncode or tree.folder not in found.parents:
        problem = (done.stderr.strip() or f"its code is found in {found}").splitlines()[-1]
        raise UsageError(f"revision {tree.commit[:12]}", problem, "a revision that imports")

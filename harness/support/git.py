"""Runs git, and says which revision of the project is checked out."""

import subprocess
from pathlib import Path

import harness
from harness.errors import UsageError

ROOT = Path(harness.__file__).parents[1]
"""The parent folder of `harness`: a checkout of the project, or an environment's packages."""
CHECKOUT = ROOT if (ROOT / "pyproject.toml").is_file() else None
"""The checkout that this code runs from; None in an installed copy."""


def revision(folder: Path = ROOT) -> str | None:
    """The commit that is checked out, followed by "+" where tracked files differ from it.

    Returns:
        None where the project isn't in a repository of its own, has no commit, or git is missing.
    """
    try:
        if Path(git(folder, "rev-parse", "--show-toplevel")).resolve() != folder.resolve():
            return None
        commit = git(folder, "rev-parse", "HEAD")
        changed = git(folder, "status", "--porcelain", "--untracked-files=no")
    except UsageError:
        return None
    return f"{commit}+" if changed else commit


def git(repository: Path, *arguments: str) -> str:
    """Run a git command in a repository and return its output.

    Raises:
        UsageError: The command fails, or git is missing.
    """
    command = ["git", "--no-optional-locks", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError("git", str(error.strerror), "git on the PATH") from error
    if done.returncode:
        problem = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise UsageError(
            f"git {arguments[0]} in {repository}", problem, "a revision of the project"
        )
    return done.stdout.strip()

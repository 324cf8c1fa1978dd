"""Which revision of the project measured."""

import subprocess
from pathlib import Path

import harness
from harness.errors import UsageError

ROOT = Path(harness.__file__).parents[1]
"""What `harness` lies in: a checkout of the project, or the packages of an environment."""
CHECKOUT = ROOT if (ROOT / "pyproject.toml").is_file() else None
"""The checkout that this code is run from; None in an installed copy."""


def revision(folder: Path = ROOT) -> str | None:
    """The commit that is checked out, with "+" behind it where tracked files differ from it.

    Returns:
        None where the project isn't in a repository of its own, or there is no git.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != folder.resolve():
        return None
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if commit and changed else commit


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None  # no git: then nobody works on the project here
    return done.stdout.strip() if done.returncode == 0 else None


def git(repository: Path, *arguments: str) -> str:
    """What a git command prints.

    Raises:
        UsageError: It fails, or there is no git.
    """
    command = ["git", "-C", str(repository), *arguments]
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

"""The whole command on this project's own code: two revisions, git, pytest, engine and all."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from harness.verdicts.policy import Outcome
from models import EMBEDDED
from reports.gating.gate import GateResult
from tests.reports.gating.test_worktrees import git_in

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PLAN = """
repeats = 1
[rule]
pairs = [1]
alpha = [0.4]
[timed.inference]
metric = "speed"
better = "higher"
[exact.matched_words]
metric = "matched_words"
better = "higher"
"""
LOSES_WORDS = (
    "            if segment.text\n",
    "            if segment.text and segment.t0 % 200 < 100\n",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This project with a last commit after which words get lost."""
    if not (ROOT / ".git").exists():
        pytest.skip("the project isn't in a repository here")
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    provider = folder / "providers" / "whisper_cpp.py"
    text = provider.read_text()
    assert LOSES_WORDS[0] in text
    provider.write_text(text.replace(*LOSES_WORDS))
    git_in(folder, "commit", "--quiet", "--all", "--message", "lose words")
    return folder


def test_a_commit_after_which_words_get_lost_is_caught(clone: Path, tmp_path: Path) -> None:
    plan, result = tmp_path / "plan.toml", tmp_path / "result.json"
    plan.write_text(PLAN)
    done = subprocess.run(
        [sys.executable, "-m", "reports", "gate", "--base", "HEAD~1", "--plan", str(plan),
         "--duration", "6", "--model", str(EMBEDDED / "ggml-q8_0.bin"), "--no-control",
         "--runs-dir", str(tmp_path), "--json", str(result)],
        cwd=clone, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(clone)},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    found = msgspec.json.decode(result.read_bytes(), type=GateResult)
    assert (found.outcome, found.pairs, found.runs) == (Outcome.FAIL, 1, 4)
    assert found.reason == "matched_words is worse in every run"
    assert "✗ gate: fail: matched_words is worse in every run" in done.stdout
    left = subprocess.check_output(["git", "worktree", "list"], cwd=clone, text=True)
    assert left.count("\n") == 1

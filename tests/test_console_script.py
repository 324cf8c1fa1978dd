"""The command `echobench`: what it hands on, to what, and that the folder doesn't matter."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import echobench
from echobench import COMMANDS, main
from harness.__main__ import COMMANDS as HARNESS_COMMANDS
from harness.support.data_file import SUITES
from reports.__main__ import COMMANDS as REPORT_COMMANDS

ROOT = Path(__file__).parents[1]
TEXT_COMMANDS = [name for name, (module, _) in COMMANDS.items() if module is not None]


def test_it_has_the_commands_of_both_packages() -> None:
    ours = {command.__name__.rpartition(".")[2] for command in REPORT_COMMANDS} - {"render"}
    assert {*COMMANDS} == {"run", "report", *ours, *HARNESS_COMMANDS}


@pytest.mark.parametrize("name", TEXT_COMMANDS)
def test_a_command_is_called_by_its_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: echobench {name} ")


@pytest.mark.parametrize("name", TEXT_COMMANDS)
def test_a_mistake_ends_with_the_status_of_the_command(name: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--no-such-option"])
    assert end.value.code == (3 if name == "gate" else 2)


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--help"], 0), (["--version"], 0), ([], 2), (["runn"], 2)]
)
def test_without_a_command_it_lists_them(
    arguments: Sequence[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == status
    printed = "".join(capsys.readouterr())
    if arguments == ["--version"]:
        assert printed.split() == ["echobench", "0.1.0"]
    else:
        assert all(f"\n  {name} " in printed for name in COMMANDS)
        assert ("no command 'runn'" in printed) is (arguments == ["runn"])
        assert max(map(len, printed.splitlines())) < 80


def test_run_is_pytest_on_the_suites_with_the_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def pytest_main(arguments: list[str]) -> int:
        calls.append(arguments)
        return 5

    monkeypatch.setattr(pytest, "main", pytest_main)
    assert main(["run", "-k", "memory", "--corpus", "talks/manifest.jsonl"]) == 5
    assert main(["run", "-q", __file__]) == 5
    suites, own = calls
    assert suites[:4] == own[:4] == list(echobench.PLUGINS)
    assert suites[-5:] == [str(SUITES), "-k", "memory", "--corpus", "talks/manifest.jsonl"]
    assert own[4:] == ["-q", __file__]


@pytest.mark.parametrize("name", echobench.FOLDERS)
def test_another_package_of_our_name_is_one_error(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "echobench", "doctor"], cwd=tmp_path, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"package {name}: comes from {tmp_path / name}, not from echobench" in line


def test_a_reader_that_ends_early_is_no_error() -> None:
    command = [sys.executable, "-m", "echobench", "doctor"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 141


@pytest.mark.slow
def test_run_ignores_the_project_of_the_current_folder(tmp_path: Path) -> None:
    """Its pytest settings, its conftest, and packages with the names of ours."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('loaded')\n")
    (tmp_path / "test_theirs.py").write_text("def test_theirs(): ...\n")
    for name in ("harness", "models", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "echobench", "run", "--collect-only", "-q",
         "--provider", "whisper_cpp", "--scenario", "A"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "whisper_cpp-embedded-2s-speech_heavy-rtf_p95" in done.stdout
    assert "test_theirs" not in done.stdout

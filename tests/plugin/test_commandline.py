"""What the command line makes of mistakes: status 4, one line that helps, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_lines import FEW_PLUGINS, PytestCommand

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
USAGE_ERROR = 4


@pytest.fixture
def command(run_pytest: PytestCommand, tmp_path: Path) -> PytestCommand:
    """Does what `pytest suites …` does."""

    def run(*arguments: str, measure: bool = False) -> tuple[int, str]:
        only_look = [] if measure else ["--collect-only"]
        return run_pytest("suites", "-q", "-p", "no:cacheprovider", *only_look,
                              "--runs-dir", str(tmp_path / "runs"), *arguments)  # fmt: skip

    return run


def error_of(outcome: tuple[int, str]) -> str:
    """The one line about a mistake."""
    status, output = outcome
    assert status == USAGE_ERROR, output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    lines = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    assert len(lines) == 1, output
    assert "; allowed: " in lines[0] or "Expected " in lines[0]
    return lines[0].removeprefix("ERROR: ")


@pytest.mark.parametrize(
    ("arguments", "words", "measure"),
    [
        ("--chunk-seconds 0", "--chunk-seconds: '0'; allowed: a number from 0.1 to 30", False),
        ("--resume latest", "run latest: no such run", False),
        ("--provider wisper_cpp", "no 'wisper_cpp', did you mean 'whisper_cpp'?", False),
        ("--provider whisper_cpp:n_threads=0", "n_threads", False),
        ("--scenario Z", "--scenario: no 'Z'", False),
        ("--thresholds missing.toml", "missing.toml: No such file or directory", False),
        ("--model missing.bin", "missing.bin: no such file", True),
        ("--corpus missing.jsonl", "missing.jsonl: No such file or directory", True),
    ],
)  # fmt: skip
def test_a_mistake_ends_pytest_with_one_line_wherever_it_is_found(
    command: PytestCommand, tmp_path: Path, arguments: str, words: str, measure: bool
) -> None:
    """As options are read, as tests are collected, and as the run would begin."""
    first = ["--provider", "whisper_cpp"] if "--provider" not in arguments else []
    assert words in error_of(command(*first, *arguments.split(), measure=measure))
    assert not (tmp_path / "runs").exists()


def test_a_threshold_that_a_suite_judges_must_be_there(
    command: PytestCommand, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[rtf_p95]\nmetric = "rtf"\ntarget = "< 1"\nminimum = "< 1"\nsource = "me"\n')
    outcome = command("--provider", "whisper_cpp", "--thresholds", str(path))
    assert "; allowed: rtf_p95" in error_of(outcome)


def test_no_mistake_is_no_error(command: PytestCommand) -> None:
    status, output = command(
        "--provider", "whisper_cpp:n_threads=1", "--provider", "faster_whisper", "--model",
        "embedded,tiny.en", "--chunk-seconds", "1,2,4", "--scenario", "A", "--duration", "60",
        "--gate", "target", "--clock", "wall", "--seed", "0", "--strict",
    )  # fmt: skip
    assert status == 0, output
    assert "whisper_cpp:n_threads=1-tiny.en-4s-speech_heavy-rtf_p95" in output


def spread(*arguments: str, folder: Path) -> tuple[int, str]:
    """Run tests in processes of pytest-xdist."""
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "no:cacheprovider",
         "--runs-dir", str(folder / "runs"), *arguments],
        cwd=ROOT, env={**os.environ, **FEW_PLUGINS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return child.returncode, child.stdout + child.stderr


def test_trials_are_never_spread_over_processes(tmp_path: Path) -> None:
    """Nor beside tests that may be."""
    files = ["tests/test_text_normalizer.py", "suites/test_accuracy.py"]
    told = error_of(spread("-n", "2", "--provider", "whisper_cpp", *files, folder=tmp_path))
    assert told.startswith("-n: suites/test_accuracy.py::")
    assert not (tmp_path / "runs").exists()


def test_a_mistake_is_told_once_by_processes_too(tmp_path: Path) -> None:
    given = ["-n", "1", "--provider", "whisper_cpp", "--scenario", "Z", "suites/test_accuracy.py"]
    assert error_of(spread(*given, folder=tmp_path)).startswith("--scenario: no 'Z'")


def test_tests_without_a_trial_may_be_spread(tmp_path: Path) -> None:
    status, output = spread("-n", "1", "tests/specs", folder=tmp_path)
    assert status == 0, output
    assert " passed" in output


HIDE = """
import os, sys
from importlib.machinery import PathFinder
HIDDEN = os.environ["HIDDEN"].split(",")
class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in HIDDEN else super().find_spec(name, path, target)
sys.meta_path = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
"""


def without(packages: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command on a machine where packages aren't installed."""
    (folder / "sitecustomize.py").write_text(HIDE)
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "-q", "--collect-only", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(folder), "HIDDEN": packages},
        capture_output=True,
        text=True,
        check=False,
    )
    return child.returncode, child.stdout + child.stderr


def test_an_engine_that_is_not_installed_is_named_with_the_command_for_it(tmp_path: Path) -> None:
    status, output = without("pywhispercpp", tmp_path, "--provider", "whisper_cpp")
    assert status == USAGE_ERROR
    (line,) = [line for line in output.splitlines() if line.startswith("ERROR: ")]
    assert "whisper_cpp: lacks the Python package pywhispercpp" in line
    assert "-m pip install 'echobench[whisper-cpp]'" in line
    assert "Traceback" not in output


def test_the_other_engines_are_measured_without_it(tmp_path: Path) -> None:
    status, output = without("pywhispercpp", tmp_path)
    assert status == 0
    assert "[faster_whisper-embedded-2s-speech_heavy-wer]" in output
    assert "[whisper_cpp-" not in output
    assert "not measured: whisper_cpp lacks the Python package pywhispercpp" in output


def test_without_any_engine_the_first_command_is_named(tmp_path: Path) -> None:
    status, output = without("pywhispercpp,faster_whisper,pocketsphinx", tmp_path)
    assert status == USAGE_ERROR
    assert "pip install 'echobench[" in output
    assert "Traceback" not in output


def test_help_has_all_options_in_one_place_and_fits(run_pytest: PytestCommand) -> None:
    status, output = run_pytest("--help")
    assert status == 0
    begin = output.index("\nechobench: ")
    group = output[begin + 1 : output.index("\n\n", begin)].splitlines()
    assert all(len(line) <= 80 for line in group)
    flags = [line.split("=")[0].strip() for line in group if line.lstrip().startswith("--")]
    assert flags == ["--provider", "--model", "--chunk-seconds", "--scenario", "--duration",
                     "--corpus", "--vad", "--clock", "--transport", "--gate", "--thresholds",
                     "--seed", "--runs-dir", "--resume"]  # fmt: skip
    assert all(output.count(f"  {flag}=") == 1 for flag in flags)

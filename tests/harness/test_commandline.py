"""What the command line makes of mistakes: status 4, one line that helps, and no traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND_LINES = "tests.harness.command_lines"
USAGE_ERROR = 4

Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", COMMAND_LINES],
        cwd=ROOT,
        # Other plugins only cost time; the one for benchmarks is among the project's settings.
        env={
            **os.environ,
            "COLUMNS": "80",
            "PY_COLORS": "0",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "pytest_benchmark.plugin",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate(timeout=10)


@pytest.fixture
def command(server: subprocess.Popen[str], tmp_path: Path) -> Command:
    """Does what `pytest suites …` does; returns its exit status and what it printed."""

    def run(*arguments: str, measure: bool = False) -> tuple[int, str]:
        assert server.stdin is not None
        assert server.stdout is not None
        only_look = [] if measure else ["--collect-only"]
        line = ["suites", "-q", "-p", "no:cacheprovider", *only_look,
                "--runs-dir", str(tmp_path / "runs"), *arguments]  # fmt: skip
        server.stdin.write(json.dumps(line) + "\n")
        server.stdin.flush()
        status, output = json.loads(server.stdout.readline())
        return status, output

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
    ("arguments", "words"),
    [
        ("--provider wisper_cpp", "--provider: no 'wisper_cpp', did you mean 'whisper_cpp'?"),
        ("--provider whisper_cpp,nope", "--provider: no 'nope'"),
        ("--provider=", "--provider: nothing was given"),
        ("--provider whisper_cpp,", "--provider: nothing was given"),
        ("--provider whisper_cpp:threads=2", "threads`; allowed: short_context, n_threads"),
        ("--provider whisper_cpp:n_threads=0", "n_threads"),
        ("--provider whisper_cpp:n_threads", "'n_threads'; allowed: name=value"),
        ("--provider faster_whisper:device=tpu", "'tpu'"),
        ("--model=", "--model: nothing was given"),
        ("--scenario speech_hevy", "--scenario: no 'speech_hevy', did you mean 'speech_heavy'?"),
        ("--scenario Z", "--scenario: no 'Z'"),
        ("--chunk-seconds 0", "--chunk-seconds: '0'; allowed: a number from 0.1 to 30"),
        ("--chunk-seconds=-1", "'-1'"),
        ("--chunk-seconds 2,nan", "'nan'"),
        ("--chunk-seconds inf", "'inf'"),
        ("--chunk-seconds 1e99", "'1e99'"),
        ("--chunk-seconds two", "'two'"),
        ("--chunk-seconds 2s", "'2s'"),
        ("--chunk-seconds ,", "--chunk-seconds: nothing was given"),
        ("--duration 0", "--duration: '0'; allowed: a number from 1 to 86400"),
        ("--duration=-60", "'-60'"),
        ("--duration nan", "'nan'"),
        ("--duration 1e9", "'1e9'"),
        ("--duration 10min", "'10min'"),
        ("--duration 10,20", "'10,20'"),
        ("--clock sundial", "--clock: 'sundial'; allowed: wall, virtual"),
        ("--clock=", "--clock: ''"),
        ("--gate open", "--gate: 'open'; allowed: target, minimum"),
        ("--seed x", "--seed: 'x'; allowed: a whole number from 0 to 2147483647"),
        ("--seed 1.5", "--seed: '1.5'"),
        ("--seed=-1", "--seed: '-1'"),
        ("--corpus=", "--corpus: nothing was given"),
        ("--thresholds=", "--thresholds: nothing was given"),
        ("--thresholds missing.toml", "missing.toml: No such file or directory"),
        ("--thresholds suites", "suites: Is a directory"),
        ("--resume nothing", "run nothing: no such run; allowed: none"),
        ("--resume latest", "run latest: no such run"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_runs(
    command: Command, tmp_path: Path, arguments: str, words: str
) -> None:
    assert words in error_of(command(*arguments.split()))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--model tiny.eng", "--model for whisper_cpp: no 'tiny.eng', did you mean 'tiny.en'?"),
        ("--model missing.bin", "missing.bin: no such file"),
        ("--model ./conftest.py", "conftest.py: does not begin with the bytes 'lmgg'"),
        ("--model ./suites", "suites: no such file"),
        ("--corpus nope", "--corpus: no 'nope'; allowed: embedded, the path of a .jsonl file"),
        ("--corpus manifest", "--corpus: no 'manifest'"),
        ("--corpus missing.jsonl", "missing.jsonl: No such file or directory"),
        ("--duration 1", "1 s hold no whole utterance of the corpus"),
    ],
)
def test_what_a_run_needs_is_looked_for_before_it_begins(
    command: Command, tmp_path: Path, arguments: str, words: str
) -> None:
    outcome = command("--provider", "whisper_cpp", *arguments.split(), measure=True)
    assert words in error_of(outcome)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no utterance"),
        (b"{}\n", "line 1: Object missing required field `audio_filepath`"),
        (b'{"audio_filepath": "../x", "duration": 1, "text": ""}', "inside its folder"),
        (b'{"audio_filepath": "x.wav", "duration": 1, "text": ""}', "no such file"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_manifest_is_read_before_a_run_begins(
    command: Command, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "corpus" / "own.jsonl"
    path.parent.mkdir()
    path.write_bytes(content)
    outcome = command("--provider", "whisper_cpp", "--corpus", str(path), measure=True)
    assert words in error_of(outcome)
    assert str(path) in error_of(outcome)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('metric = "rft"\ntarget = "< 1"\nminimum = "< 1"\nsource = "me"',
         "[rtf_p95], metric: no 'rft', did you mean 'rtf'?"),
        ('metric = "rtf"\nlimit = 3', "unknown field `limit`"),
        ('metric = "rtf"\ntarget = "0.5"\nminimum = "< 1"\nsource = "me"', "'0.5' is no limit"),
        ('metric = "rtf"\ntarget = "< 2"\nminimum = "< 1"\nsource = "me"', "looser than minimum"),
        ('metric = "rtf"\ntarget = "< 1"\nminimum = "< 1"\nsource = "me"\nscenarios = ["Z"]',
         "[rtf_p95], scenarios: no 'Z'"),
        ('metric = "rtf"\ntarget = "< 1"\nminimum = "< 1"\nsource = "me"', "; allowed: rtf_p95"),
    ],
)  # fmt: skip
def test_thresholds_are_read_before_a_run_begins(
    command: Command, tmp_path: Path, content: str, words: str
) -> None:
    """Also those that a suite judges and the file lacks."""
    path = tmp_path / "mine.toml"
    path.write_text(f"[rtf_p95]\n{content}\n")
    assert words in error_of(command("--provider", "whisper_cpp", "--thresholds", str(path)))


def test_no_mistake_is_no_error(command: Command) -> None:
    status, output = command(
        "--provider", "whisper_cpp:n_threads=1", "--provider", "faster_whisper", "--model",
        "embedded,tiny.en", "--chunk-seconds", "1,2,4", "--scenario", "A", "--duration", "60",
        "--gate", "target", "--clock", "wall", "--seed", "0", "--strict",
    )  # fmt: skip
    assert status == 0, output
    assert "whisper_cpp:n_threads=1-tiny.en-4s-speech_heavy-rtf_p95" in output


def test_trials_are_never_spread_over_processes() -> None:
    """Nor with the plugin for that, of which only the option is needed here."""
    stand_in = """
import pytest, sys
class Spread:
    @staticmethod
    def pytest_addoption(parser):
        parser.addoption("--numprocesses", type=int)
sys.exit(pytest.main(["suites", "--collect-only", "--numprocesses", "2"], plugins=[Spread]))
"""
    child = subprocess.run([sys.executable, "-c", stand_in], cwd=ROOT, capture_output=True,
                           text=True, check=False)  # fmt: skip
    assert child.returncode == USAGE_ERROR
    assert "-n: trials share the machine" in child.stdout + child.stderr


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


def test_help_has_all_options_in_one_place_and_fits(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write('["--help"]\n')
    server.stdin.flush()
    status, output = json.loads(server.stdout.readline())
    assert status == 0
    begin = output.index("\nechobench: ")
    group = output[begin + 1 : output.index("\n\n", begin)].splitlines()
    assert all(len(line) <= 80 for line in group)
    flags = [line.split("=")[0].strip() for line in group if line.lstrip().startswith("--")]
    assert flags == ["--provider", "--model", "--chunk-seconds", "--scenario", "--duration",
                     "--corpus", "--vad", "--clock", "--transport", "--gate", "--thresholds",
                     "--seed", "--runs-dir", "--resume"]  # fmt: skip
    assert all(output.count(f"  {flag}=") == 1 for flag in flags)

"""Each mistake on the command line is refused as it is read, in one line that says what helps.

Tried on what the plugin does with its options, without a pytest of its own for each; that pytest
ends with status 4 and this line is tried in `test_commandline`, once for each place of a refusal.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import EchobenchError
from harness.plugin.commandline import add_options, read_options
from harness.plugin.session import BenchSession


class Options(argparse.ArgumentParser):
    """Takes the options that the plugin adds to pytest's."""

    def getgroup(self, name: str, description: str) -> "Options":
        return self

    def addoption(self, flag: str, **how: Any) -> None:
        self.add_argument(flag, **how)


@dataclass
class Config:
    """What the plugin asks of pytest's settings."""

    option: argparse.Namespace

    @staticmethod
    def getini(name: str) -> bool:
        assert name == "strict"
        return False


def session_of(*arguments: str) -> BenchSession:
    """What pytest's session measures, with these arguments."""
    parser = Options()
    add_options(cast("pytest.Parser", parser))
    config = cast("pytest.Config", Config(parser.parse_args(arguments)))
    return BenchSession(config, read_options(config))


def refusal(*arguments: str, judges: str = "rtf_p95") -> str:
    """Why it can't be said what to measure."""
    with pytest.raises(EchobenchError) as refused:  # noqa: PT012  (whichever step it is)
        session = session_of(*arguments)
        assert session.specs
        session.threshold(judges)
    return one_line(refused.value)


def refusal_to_begin(*arguments: str) -> str:
    """Why a run that is clear can't begin."""
    session = session_of(*arguments)
    specs = session.specs.scenarios
    items = [SimpleNamespace(callspec=SimpleNamespace(params={"judged": (spec, "rtf_p95")}))
             for spec in specs]  # fmt: skip
    assert items
    with pytest.raises(pytest.UsageError) as refused:
        session.measure(cast("list[pytest.Item]", items))
    return one_line(refused.value)


def one_line(error: Exception) -> str:
    """The text of an error, which says what is allowed."""
    text = str(error)
    assert "\n" not in text
    assert "; allowed: " in text or "Expected " in text
    return text


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
    tmp_path: Path, arguments: str, words: str
) -> None:
    runs = tmp_path / "runs"
    assert words in refusal("--runs-dir", str(runs), *arguments.split())
    assert not runs.exists()


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
        ("--duration 1", "1 s is too short for any utterance of the corpus"),
    ],
)
def test_what_a_run_needs_is_looked_for_before_it_begins(
    tmp_path: Path, arguments: str, words: str
) -> None:
    runs = tmp_path / "runs"
    given = ["--provider", "whisper_cpp", "--runs-dir", str(runs), *arguments.split()]
    assert words in refusal_to_begin(*given)
    assert not runs.exists()


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
def test_a_manifest_is_read_before_a_run_begins(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "corpus" / "own.jsonl"
    path.parent.mkdir()
    path.write_bytes(content)
    runs = tmp_path / "runs"
    given = ["--provider", "whisper_cpp", "--runs-dir", str(runs), "--corpus", str(path)]
    told = refusal_to_begin(*given)
    assert words in told
    assert str(path) in told
    assert not runs.exists()


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
def test_thresholds_are_read_before_a_run_begins(tmp_path: Path, content: str, words: str) -> None:
    """Also those that a suite judges and the file lacks."""
    path = tmp_path / "mine.toml"
    path.write_text(f"[rtf_p95]\n{content}\n")
    given = ["--provider", "whisper_cpp", "--thresholds", str(path)]
    assert words in refusal(*given, judges="wer")

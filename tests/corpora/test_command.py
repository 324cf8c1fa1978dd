"""`python -m corpora check`, and the same check in a run."""

import subprocess
import sys
from pathlib import Path

import pytest

from corpora.__main__ import main
from tests.corpora.sounds import good_lines, tone, write_lines, write_sound

ROOT = Path(__file__).parents[2]


def checked(path: Path | str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["check", str(path)])
    return status, capsys.readouterr().out


def test_nothing_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = checked(write_lines(tmp_path, *good_lines(tmp_path)), capsys)
    assert status == 0
    assert "utterances   3, 0:03 minutes" in out
    assert out.endswith("\nnothing is wrong\n")


def test_warnings_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = write_sound(tmp_path / "quiet.wav", tone(1, -50))
    status, out = checked(write_lines(tmp_path, *good_lines(tmp_path), quiet), capsys)
    assert status == 0
    assert "1 warning\n\nwarning  line 4, quiet.wav\n         is quiet: -50 dBFS" in out


def test_one_bad_line_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = good_lines(tmp_path, 1)
    lines = [line | {"offset": at / 1e5} for at in range(20_000)]
    lines[12_344] |= {"duration": -1}
    status, out = checked(write_lines(tmp_path, *lines), capsys)
    assert status == 1
    assert "\n1 error\n\nerror    line 12345\n" in out
    assert all(len(line) < 80 for line in out.splitlines() if str(tmp_path) not in line)


def test_at_most_twenty_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = ["{"] * 50 + [{"audio_filepath": "a\x1b[31m", "duration": 1, "text": ""}]
    status, out = checked(write_lines(tmp_path, *good_lines(tmp_path), *bad), capsys)
    assert status == 1
    assert "51 errors, of which the first 20 are shown" in out
    assert out.count("\nerror    line ") == 20
    assert "\x1b" not in out


@pytest.mark.parametrize("arguments", [[], ["check"], ["chekc", "a"], ["check", "a", "b"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m corpora" in capsys.readouterr().err


def test_a_manifest_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    for path in (tmp_path / "missing.jsonl", tmp_path, tmp_path / "empty.jsonl"):
        assert main(["check", str(path)]) == 2
        assert str(path) in capsys.readouterr().err


def test_help_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["check", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert "check" in capsys.readouterr().out


def run(corpus: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "suites/test_accuracy.py", "-q", "-p", "no:cacheprovider",
         "--scenario", "A", "--duration", "8", "--corpus", str(corpus),
         "--runs-dir", str(corpus.parent / "runs"), *options],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_a_run_refuses_what_the_check_finds(tmp_path: Path) -> None:
    """Before the model is looked for: this one doesn't exist."""
    bad = write_sound(tmp_path / "short.wav", tone(1)) | {"duration": 9.0}
    path = write_lines(tmp_path, *good_lines(tmp_path), bad, "{")
    done = run(path, "--provider", "whisper_cpp", "--model", str(tmp_path / "none.bin"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    for words in (str(path), "2 errors", "line 4, short.wav", "line 5"):
        assert words in done.stderr + done.stdout
    assert "none.bin" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_refuses_a_corpus_of_two(tmp_path: Path) -> None:
    path = write_lines(tmp_path, *good_lines(tmp_path, 2))
    done = run(path, "--provider", "whisper_cpp")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"{path}: holds 2 utterances" in " ".join((done.stderr + done.stdout).split())


def test_a_run_shows_warnings_once(tmp_path: Path) -> None:
    quiet = write_sound(tmp_path / "quiet.wav", tone(1, -50))
    path = write_lines(tmp_path, *good_lines(tmp_path), quiet)
    done = run(path, "--provider", "whisper_cpp", "--chunk-seconds", "1,2")
    assert (done.stdout + done.stderr).count("is quiet: -50 dBFS") == 1
    assert (tmp_path / "runs").exists()

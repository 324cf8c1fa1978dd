"""`live serve` and `live send`, as a person types them."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.audio import SAMPLE_RATE_HZ
from harness.commands.live import main, parser, serving_of
from harness.contract import ASRHealth, AudioSource
from harness.errors import AudioError, EchobenchError, UnavailableError, UsageError
from harness.journal.journal import read_journal
from harness.live.client.terminal import Captions
from harness.live.protocol.messages import Ended, Final, Metrics, Partial, Pressure, Ready, Status
from harness.specs.trial import TrialStatus
from tests.faults.processes import MARK, alive, hearing_sigint
from tests.trials import STAND_INS

ROOT = Path(__file__).parents[2]
MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


class Command:
    """A `python -m harness live …` that runs."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        with hearing_sigint():
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "harness", "live", *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(STAND_INS), **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.output = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read on to the line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if (match := re.search(pattern, line)) is not None:
                return match
        raise AssertionError(f"{pattern!r} never came:\n{self.output}")

    def finish(self, number: signal.Signals | None = None) -> int:
        """Read the rest, and return the exit status."""
        if number is not None:
            self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.output += rest
        return self.process.returncode


@contextlib.contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[tuple[Command, str]]:
    """A server, and the address of its WebSocket."""
    server = Command("serve", "--port", "0", *arguments, **variables)
    try:
        port = server.read_until(r"captions at http://127\.0\.0\.1:(\d+)/")[1]
        yield server, f"ws://127.0.0.1:{port}/live"
    finally:
        if server.process.stdout is not None and not server.process.stdout.closed:
            server.finish(signal.SIGTERM)


def recording(path: Path, seconds: float, channels: int = 1) -> Path:
    rng = np.random.default_rng(1)
    shape = (round(seconds * SAMPLE_RATE_HZ), channels)
    soundfile.write(path, (rng.standard_normal(shape) * 0.1).astype(np.float32), SAMPLE_RATE_HZ)
    return path


@pytest.mark.slow
def test_two_recordings_are_captioned_side_by_side(tmp_path: Path) -> None:
    """Each provider in a process of its own; none of them is left over."""
    mark = f"live-{os.getpid()}"
    files = [str(recording(tmp_path / name, 1.2)) for name in ("me.wav", "others.flac")]
    oracle = "oracle:transcript=good morning everyone"
    with serving("--provider", oracle, "--keep", str(tmp_path / "kept"), **{MARK: mark}) as (
        server, url,
    ):  # fmt: skip
        sender = Command("send", *files, "--url", url, "--session", "standup")
        assert sender.finish() == 0, sender.output
        assert server.finish(signal.SIGTERM) == 0, server.output
    lines = sender.output.splitlines()
    assert lines[0] == "-- standup: mic, system on oracle embedded"
    assert sorted(lines[1:3]) == ["  0:00 mic     good morning everyone",
                                  "  0:00 system  good morning everyone"]  # fmt: skip
    assert lines[-1] == "-- ended, 2 finals"
    assert "machine: " in server.output
    assert "recommended here: " in server.output
    assert "standup begins: mic, system" in server.output
    assert "standup ended" in server.output
    (record,) = read_journal(tmp_path / "kept" / "standup.jsonl")
    assert record.started.spec.settings == {"transcript": "good morning everyone"}
    assert record.ended is not None
    assert record.ended.status is TrialStatus.OK
    assert alive(mark) == []


@pytest.mark.slow
def test_the_channels_of_one_file_may_be_the_two_sources(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "call.wav", 1.0, channels=2))
    with serving("--provider", "oracle:transcript=hello", "--in-process") as (_, url):
        sender = Command("send", file, "--split", "--url", url)
        assert sender.finish() == 0, sender.output
    assert "mic, system on oracle" in sender.output


@pytest.mark.slow
def test_ctrl_c_ends_in_order(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "oracle:transcript=so far", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        time.sleep(1.0)
        assert sender.finish(signal.SIGINT) == 130
        assert "  0:00 mic     so far" in sender.output  # what was heard became final
        assert "-- ended, 1 finals" in sender.output
        assert "Traceback" not in sender.output
        server.read_until("session-1 ended")


@pytest.mark.slow
def test_a_server_that_is_stopped_lets_its_sessions_end(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "oracle:transcript=so far", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        time.sleep(0.5)
        assert server.finish(signal.SIGINT) == 0
        assert sender.finish() == 0, sender.output
        assert "so far" in sender.output


@pytest.mark.slow
def test_a_token_is_needed_where_one_is_set(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "a.wav", 0.5))
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "wrong").write_text("guess\n")
    with serving("--provider", "null", "--in-process", ECHOBENCH_LIVE_TOKEN="s3cret") as (_, url):
        refused = Command("send", file, "--url", url, "--token-file", str(tmp_path / "wrong"))
        assert refused.finish() == 2
        assert "refused the connection: 401" in refused.output
        let_in = Command("send", file, "--url", url, "--token-file", str(tmp_path / "token"))
        assert let_in.finish() == 0, let_in.output
        for command in (refused, let_in):
            assert "s3cret" not in command.output
            assert "guess" not in command.output


@pytest.mark.slow
def test_a_port_in_use_is_told() -> None:
    with serving("--provider", "null", "--in-process") as (_, url):
        port = url.split(":")[2].split("/")[0]
        second = Command("serve", "--port", port, "--provider", "null", "--in-process")
        assert second.finish() == 2
    assert re.search(rf"error: 127\.0\.0\.1:{port}: can't be listened on", second.output)
    assert "Traceback" not in second.output


@pytest.mark.parametrize(
    ("arguments", "error", "problem"),
    [
        (["send"], UsageError, "nothing to send; allowed: FILE, two FILEs, or --mic"),
        (["send", "a.wav", "--mic"], UsageError, "files and --mic"),
        (["send", "missing.wav"], AudioError, "missing.wav: no such file"),
        (["send", "Makefile"], AudioError, "not readable"),
        (["send", "a", "b", "c"], UsageError, "3 files; allowed: one or two"),
        (["send", "{mono}", "--split"], UsageError, "has 1 channels; allowed: 2"),
        (["send", "{mono}", "--url", "ws://127.0.0.1:9/live"], UnavailableError, "no answer"),
        (["send", "{mono}", "--url", "http://127.0.0.1/"], UsageError, "ws://HOST:PORT/live"),
        (["send", "{mono}", "--chunk-seconds", "0"], UsageError, "--chunk-seconds: '0'"),
        (["send", "{mono}", "--token-file", "missing"], UsageError, "--token-file missing"),
        (["serve", "--port", "99999"], UsageError, "--port: '99999'"),
        (["serve", "--sessions", "0"], UsageError, "--sessions: '0'"),
        (["serve", "--host", "0.0.0.0"], UsageError, "without a token"),
        (["serve", "--provider", "wisper_cpp"], UsageError, "did you mean 'whisper_cpp'"),
        (["serve", "--provider", "whisper_cpp", "--fallback", "nope"], UsageError, "no 'nope'"),
        (["serve", "--provider", "whisper_cpp", "--model", "nope.bin", "--in-process"],
         EchobenchError, "nope.bin"),
        (["serve", "--provider", "whisper_cpp", "--keep", "{mono}/folder"], EchobenchError,
         "can't be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(
    arguments: list[str], error: type[Exception], problem: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("ECHOBENCH_LIVE_TOKEN", raising=False)
    mono = recording(tmp_path / "mono.wav", 0.2)
    with pytest.raises(error) as refused:
        main([argument.format(mono=mono) for argument in arguments])
    assert problem in str(refused.value)


def test_the_filter_is_named_as_in_a_run() -> None:
    silero = parser().parse_args(["serve", "--vad", "silero"])
    assert serving_of(silero).vad == "silero"
    assert serving_of(parser().parse_args(["serve"])).vad is None


def test_without_the_package_a_microphone_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # an import of it fails
    with pytest.raises(UnavailableError, match=r"lacks the Python package sounddevice.*live-mic"):
        main(["send", "--mic"])


NO_MICROPHONE = """
class PortAudioError(Exception): pass
def RawInputStream(**options):
    raise PortAudioError("Error querying device -1")
"""
NO_LIBRARY = 'raise OSError("PortAudio library not found")'


@pytest.mark.parametrize(
    ("module", "problem"),
    [(NO_MICROPHONE, "no microphone can be opened (Error querying device -1); allowed: a micro"),
     (NO_LIBRARY, "lacks PortAudio (PortAudio library not found); allowed: the system's package")],
)  # fmt: skip
def test_without_a_microphone_it_says_so(module: str, problem: str, tmp_path: Path) -> None:
    """In a process of its own: an import that failed is remembered."""
    (tmp_path / "sounddevice.py").write_text(module)
    sender = Command("send", "--mic", PYTHONPATH=str(tmp_path))
    assert sender.finish() == 2
    assert problem in sender.output
    assert "Traceback" not in sender.output


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 60 columns."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm-256color")
    return io.StringIO()


def test_a_terminal_shows_what_is_being_said(terminal: io.StringIO) -> None:
    captions = Captions(terminal, live=True)
    health = ASRHealth(
        realtime_factor=0.1, avg_infer_ms=1.0, backlog_estimate=0, model_resident=True
    )
    text = {"segment_id": 0, "t0": 0.0, "t1": 1.0, "stable_words": 0, "words": ()}
    for message in (
        Ready(session="s", provider="p", model="m", chunk_seconds=2.0, sources=(MIC, SYSTEM),
              level="normal"),
        Partial(source=MIC, revision=0, text="good", **text),  # type: ignore[arg-type]
        Partial(source=SYSTEM, revision=0, text="word " * 40, **text),  # type: ignore[arg-type]
        Metrics(at_s=3.0, rtf=0.5, level="normal", sources={}, health=health, cpu_s=1.0,
                rss_bytes=1 << 30, listeners=1),
        Status(at_s=3.0, level="warning", before="normal", cause="rtf", message="slow",
               actions=("longer",)),
        Pressure(source=MIC, at_s=3.0, level=0.5, reason="slow"),
        Final(source=MIC, revision=1, text="good \x1b[2Jmorning", **text),  # type: ignore[arg-type]
        Ended(session="s", finals=1),
    ):  # fmt: skip
        captions.show(message)
    captions.close()
    assert replayed(terminal.getvalue(), width=60) == [
        "-- s: mic, system on p m",
        "-- warning: slow (rtf; longer)",
        "-- mic: queue 50% full, slow",
        "  0:00 mic     good \\x1b[2Jmorning",
        "-- ended, 1 finals",
    ]
    assert "…" in terminal.getvalue()  # the long partial was cut to the line


WIDE = "本日は晴天なり" * 8
"""Each character takes two columns."""


def test_wide_characters_are_measured_in_columns(terminal: io.StringIO) -> None:
    """By their number, 112 columns would pass for 56, and a line drawn again would take two."""
    captions = Captions(terminal, live=True)
    text = {"segment_id": 0, "t0": 3700.0, "t1": 3701.0, "stable_words": 0, "words": ()}
    captions.show(Ready(session="s", provider="p", model="m", chunk_seconds=2.0, sources=(MIC,),
                        level="normal"))  # fmt: skip
    for revision in range(3):
        partial = Partial(source=MIC, revision=revision, text=WIDE, **text)  # type: ignore[arg-type]
        captions.show(partial)
    drawn = replayed(terminal.getvalue(), width=60)
    assert drawn[1:] == [f"       mic     …{WIDE[-22:]}"]
    captions.show(Final(source=MIC, revision=3, text=WIDE, **text))  # type: ignore[arg-type]
    captions.close()
    _, first, *others = replayed(terminal.getvalue(), width=60)
    assert first.startswith(" 61:40 mic     ")
    assert "".join([first[15:], *(line[15:] for line in others)]) == WIDE


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def replayed(written: str, width: int) -> list[str]:
    """What a terminal shows after all of this; no line may be wider than it."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b") and part != "\r":
            lines[row] += part
            assert columns(lines[row]) <= width, lines[row]
        else:
            assert part == "\r" or part.endswith("m") or part in ("\x1b[?25l", "\x1b[?25h")
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.slow
def test_sending_survives_a_broken_connection(tmp_path: Path) -> None:
    file = str(recording(tmp_path / "long.wav", 30.0))
    with serving("--provider", "null", "--in-process") as (server, url):
        sender = Command("send", file, "--url", url)
        sender.read_until("-- session-1")
        server.process.kill()
        assert sender.finish() == 2
    assert "error: live server: the connection broke" in sender.output
    assert "Traceback" not in sender.output

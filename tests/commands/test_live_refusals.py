"""What `live serve` and `live send` refuse: arguments, files, ports and microphones."""

import re
import sys
from pathlib import Path

import pytest

from harness.commands.live import main, parser, serving_of
from harness.errors import AudioError, EchobenchError, UnavailableError, UsageError
from tests.commands.live_command import Command, recording, serving


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

"""The stand-in is held to what the real program was seen to do.

Recorded with main.c, voxtral.c, voxtral_audio.c, voxtral_safetensors.c and voxtral_tokenizer.c at
134d366, linked to a network that hears nothing; so these symbols, words and statuses are theirs.
"""

import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import (
    AudioError,
    EchobenchError,
    ModelError,
    ProviderError,
    UnavailableError,
)
from providers.voxtral.errors import explained
from tests.stand_ins.voxtral_binary import NEEDED
from tests.stand_ins.voxtral_model import executable, safetensors, write_model

RECORDED = [
    ("0.5", 7.0, "⌛▶·▶▫▶▫▶▫▶▫▶▫⚠▶▫⚠▶▫⚠▶▫⚠▶▫☠▶▫☠↯♻⌛▶·▫▶▫▶▫", "520 mel -> 65 tokens"),
    ("0.5", 0.3, "⌛▶·▫▶▫", "424 mel -> 53 tokens"),
    ("0.5", 0.7, "⌛▶·▶▫▶▫", "464 mel -> 58 tokens"),
    ("2", 12.0, "⌛▶·▶▫▶▫⚠▶▫☠↯♻⌛▶·▫▶▫▶▫⚠▶▫☠↯♻▶⌛", "256 mel -> 32 tokens"),
    ("0.3", 1.5, "⌛▶·▶▫▶▫▶▫▶▫", "544 mel -> 68 tokens"),
]
"""`-I`, seconds of silence, the symbols of `--monitor`, and what it says about its encoder."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return executable(tmp_path_factory.mktemp("program"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


def run(program: Path, *arguments: str | Path, pcm: bytes = b"") -> tuple[int, bytes, str]:
    child = subprocess.run([program, *arguments], input=pcm, capture_output=True, check=False)
    return child.returncode, child.stdout, child.stderr.decode()


@pytest.mark.parametrize(
    ("interval", "length_s", "symbols", "encoded"), RECORDED, ids=lambda value: str(value)[:5]
)
def test_it_answers_silence_as_the_real_one(
    interval: str, length_s: float, symbols: str, encoded: str, program: Path, model: Path
) -> None:
    pcm = bytes(2 * round(length_s * 16_000))
    code, output, errors = run(
        program, "-d", model, "--stdin", "-I", interval, "--monitor", pcm=pcm
    )
    assert (code, output) == (0, b"\n")
    assert errors.startswith(f"Loading weights...\nModel loaded.\n{symbols}Encoder: {encoded} (")


@dataclass(frozen=True)
class End:
    """How it ends: what was spoilt, its last words, and what we make of them."""

    name: str
    spoil: Callable[[Path], None]
    last_words: str
    error: type[EchobenchError]
    problem: str
    pcm: bytes = bytes(8192)
    options: tuple[str, ...] = ()


def weights(content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "consolidated.safetensors").write_bytes(content)

    return spoil


def wav(kind: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * frame, frame, bits)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + form + b"data\0\0\1\0" + bytes(8192)


FAILED = "Failed to load model from {model}"
CANT_OPEN = "vox_load: cannot open {model}/consolidated.safetensors\n" + FAILED
ALL = [name for names in NEEDED.values() for name in names]
ENDS = [
    End("no weights", lambda folder: (folder / "consolidated.safetensors").unlink(),
        "safetensors_open: open failed: No such file or directory\n" + CANT_OPEN,
        ModelError, "consolidated.safetensors: No such file or directory"),
    End("tiny", weights(b"abc"), "safetensors_open: file too small\n" + CANT_OPEN,
        ModelError, "is damaged (file too small)"),
    End("no header", weights(b"\xff" * 100), "safetensors_open: invalid header size\n" + CANT_OPEN,
        ModelError, "is damaged (invalid header size)"),
    End("no JSON", weights(struct.pack("<Q", 5) + b"hello" + bytes(9)),
        "safetensors_open: failed to parse header\n" + CANT_OPEN, ModelError, "is damaged"),
    End("cut short", weights(safetensors(ALL)[:-3]),
        "safetensors_open: data out of bounds for norm.weight\n" + CANT_OPEN,
        ModelError, "is cut short (norm.weight)"),
    End("another model", weights(safetensors(ALL[2:])),
        "vox_load: failed to load encoder\n" + FAILED, ModelError, "has no mm_streams_embeddings"),
    End("no tokens", lambda folder: (folder / "tekken.json").unlink(),
        "vox_tokenizer_load: cannot open {model}/tekken.json\nFailed to init stream",
        ModelError, "tekken.json can't be opened"),
    End("empty tokens", lambda folder: os.truncate(folder / "tekken.json", 0),
        "Model loaded.\nFailed to init stream", ModelError, "tekken.json is damaged"),
    End("no audio", lambda folder: None, "Not enough data on stdin", ProviderError,
        "its audio ended before it began", pcm=b"ab"),
    End("float WAV", lambda folder: None, "Invalid WAV on stdin (fmt=3 bits=32)", AudioError,
        "a WAV header (fmt=3 bits=32)", pcm=wav(3, bits=32)),
    End("fast WAV", lambda folder: None,
        "WAV stdin streaming requires 16kHz mono (got 44100Hz 2ch). "
        "Use: ffmpeg -i pipe:0 -ar 16000 -ac 1 -f s16le pipe:1",
        AudioError, "a WAV header (44100Hz 2ch)", pcm=wav(channels=2, rate_hz=44_100)),
    End("no interval", lambda folder: None, "Error: -I requires a positive number of seconds",
        ProviderError, "the interval isn't positive", options=("-I", "abc")),
    End("two inputs", lambda folder: None,
        "Error: -i, --stdin, and --from-mic are mutually exclusive", ProviderError,
        "mutually exclusive", options=("-i", "x.wav")),
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_it_fails_with_the_words_of_the_real_one_and_we_know_them(
    end: End, program: Path, model: Path
) -> None:
    end.spoil(model)
    code, output, errors = run(program, "-d", model, "--stdin", *end.options, pcm=end.pcm)
    assert (code, output) == (1, b"")
    assert errors.endswith(end.last_words.format(model=model) + "\n")
    error = explained("voxtral", f"exited with {code}", errors)
    assert type(error) is end.error
    assert end.problem in error.problem


def test_an_option_that_it_does_not_know_means_that_it_is_too_old(
    program: Path, model: Path
) -> None:
    code, _, errors = run(program, "-d", model, "--stdin", "--shiny")
    assert code == 1
    assert errors.startswith("Unknown option: --shiny\nvoxtral.c — Voxtral Realtime 4B")
    error = explained("voxtral", "exited with 1", errors)
    assert isinstance(error, UnavailableError)
    assert error.problem == "the program knows no option --shiny"


def test_help_is_no_error(program: Path) -> None:
    code, output, errors = run(program, "-h")
    assert (code, output) == (0, b"")
    assert "Usage: " in errors


@pytest.mark.parametrize(
    "words",
    [
        "voxtral: error while loading shared libraries: libopenblas.so.0: cannot open shared",
        "dyld[1]: Library not loaded: /usr/lib/libopenblas.so.0\n  Reason: tried: …",
    ],
)
def test_a_library_that_is_missing_is_named(words: str) -> None:
    error = explained("voxtral", "exited with 127", words)
    assert isinstance(error, UnavailableError)
    assert "libopenblas.so.0" in error.problem


def test_its_last_line_is_told_when_nobody_knows_its_words() -> None:
    error = explained("voxtral", "was killed by SIGKILL", "Model loaded.\n▶·▶▪▶▪\n")
    assert str(error) == "voxtral: the process was killed by SIGKILL (Model loaded.)"
    assert "(" not in str(explained("voxtral", "exited with 3", "▶·▶▪"))

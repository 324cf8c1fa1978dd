"""An executable that behaves as voxtral.c does (HEAD 134d366), with a few ways to misbehave.

Same command line, same words on standard error, same exit statuses, same blocks read from standard
input, same moments of answering; only the network is missing, see `voxtral_engine`. How fast it
is, and what goes wrong, stands under "stand_in" in the model's `params.json`, which the real one
never opens. Run by `voxtral_model.executable`.
"""

import contextlib
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, NoReturn

from tests.stand_ins.voxtral_engine import Engine

USAGE = """voxtral.c — Voxtral Realtime 4B speech-to-text

Usage: {program} -d <model_dir> (-i <input.wav> | --stdin | --from-mic) [options]

Required:
  -d <dir>      Model directory (with consolidated.safetensors, tekken.json)
  --stdin       Read audio from stdin (auto-detect WAV or raw s16le 16kHz mono)
"""
HEADER, BLOCK = 4096, 8192
FOR_EVER_S = 100_000
FLOOD_BYTES = 20_000_000
EMBEDDING = "mm_streams_embeddings.embedding_module"
NEEDED = {
    "encoder": (f"{EMBEDDING}.whisper_encoder.conv_layers.0.conv.weight",
                f"{EMBEDDING}.whisper_encoder.transformer.norm.weight"),
    "adapter": (f"{EMBEDDING}.audio_language_projection.0.weight",
                f"{EMBEDDING}.audio_language_projection.2.weight"),
    "decoder": (f"{EMBEDDING}.tok_embeddings.weight", "norm.weight"),
}  # fmt: skip
STUBBORN_CHILD = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(100_000)
"""


def tell(text: str) -> None:
    """Write to standard error; a reader that is gone is no reason to fail."""
    with contextlib.suppress(BrokenPipeError):
        os.write(2, text.encode())


def fail(*lines: str) -> NoReturn:
    tell("".join(f"{line}\n" for line in lines))
    sys.exit(1)


def main(argv: list[str]) -> None:
    options = parse(argv)
    folder = Path(options["folder"])
    params = folder / "params.json"
    behaviour: dict[str, Any] = {}
    if params.exists():
        behaviour = json.loads(params.read_text()).get("stand_in", {})
    load(folder, behaviour)
    run(options, behaviour)


def parse(argv: list[str]) -> dict[str, Any]:
    """Read the command line with the errors, and in the order, of the real one."""
    program, rest = argv[0], iter(argv[1:])
    found: dict[str, Any] = {"folder": None, "interval_s": 2.0, "monitor": False, "silent": False}
    inputs = []
    values = {"-d", "-i", "-I", "--alt"}
    left = len(argv) - 1
    for option in rest:
        left -= 1
        value = ""
        if option in values and left:
            value, left = next(rest), left - 1
        elif option in values:
            option = f"{option} "  # without its value it is unknown
        if option == "-d":
            found["folder"] = value
        elif option == "-I":
            found["interval_s"] = leading_number(value)
            if found["interval_s"] <= 0:
                fail("Error: -I requires a positive number of seconds")
        elif option in ("-i", "--stdin", "--from-mic"):
            inputs.append(option)
        elif option in ("--monitor", "--silent"):
            found[option[2:]] = True
        elif option in ("-h", "--help"):
            tell(USAGE.format(program=program))
            sys.exit(0)
        elif option not in ("--alt", "--debug"):
            fail(f"Unknown option: {option.rstrip()}", USAGE.format(program=program))
    if found["folder"] is None or not inputs:
        fail(USAGE.format(program=program))
    if len(set(inputs)) > 1:
        fail("Error: -i, --stdin, and --from-mic are mutually exclusive")
    return found


def leading_number(text: str) -> float:
    """As C's `atof`: what a text begins with, or 0."""
    for end in range(len(text), 0, -1):
        with contextlib.suppress(ValueError):
            return float(text[:end])
    return 0.0


def load(folder: Path, behaviour: dict[str, Any]) -> None:
    """Look at the model's files as the real one does, and say so."""
    path = folder / "consolidated.safetensors"
    tensors = tensors_of(path, folder)
    tell("Loading weights...\n")
    for part, names in NEEDED.items():
        if missing := [name for name in names if name not in tensors]:
            fail(
                *(f"{part}: weight not found: {name}" for name in missing),
                f"vox_load: failed to load {part}",
                f"Failed to load model from {folder}",
            )
    if text := behaviour.get("load_error"):
        fail(text)
    time.sleep(behaviour.get("load_s", 0.0))
    if behaviour.get("mode") == "never_ready":
        time.sleep(FOR_EVER_S)
    tell("Model loaded.\n")
    tokenizer = folder / "tekken.json"
    if behaviour.get("mode") == "no_tokenizer" or not tokenizer.exists():
        fail(f"vox_tokenizer_load: cannot open {tokenizer}", "Failed to init stream")
    if not tokenizer.read_bytes().lstrip().startswith(b"{"):
        fail("Failed to init stream")


def tensors_of(path: Path, folder: Path) -> dict[str, Any]:
    end = (f"vox_load: cannot open {path}", f"Failed to load model from {folder}")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < 8:
                fail("safetensors_open: file too small", *end)
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - 8:
                fail("safetensors_open: invalid header size", *end)
            header = file.read(length)
    except OSError as error:
        fail(f"safetensors_open: open failed: {error.strerror}", *end)
    try:
        tensors: dict[str, Any] = json.loads(header)
    except ValueError:
        fail("safetensors_open: failed to parse header", *end)
    for name, tensor in tensors.items():
        if name != "__metadata__" and 8 + length + tensor["data_offsets"][1] > size:
            fail(f"safetensors_open: data out of bounds for {name}", *end)
    return tensors


def run(options: dict[str, Any], behaviour: dict[str, Any]) -> None:
    """Answer what comes on standard input, to its end."""

    def think(tokens: int) -> None:
        if step_s := behaviour.get("step_s", 0.0):
            time.sleep(tokens * step_s)

    def note(symbol: str) -> None:
        if options["monitor"] and behaviour.get("mode") != "mute":
            tell(symbol)

    engine = Engine(options["interval_s"], behaviour.get("eos_after"), note, think)
    faults = Faults(behaviour)
    stdin = os.fdopen(0, "rb", buffering=4096)  # the C library's, for a pipe
    first = stdin.read(HEADER)
    if len(first) < 4:
        fail("Not enough data on stdin")
    pcm = first[wav_offset(first) :]
    say(engine.feed(pcm[: len(pcm) // 2 * 2]))
    while block := stdin.read(BLOCK):
        say(engine.feed(block[: len(block) // 2 * 2]))
        faults.happen(engine.fed, stdin)
    if behaviour.get("mode") == "stubborn":
        time.sleep(FOR_EVER_S)
    say([*engine.finish(), b"\n"])
    if not options["silent"]:
        tell(f"Encoder: {engine.mel} mel -> {engine.tokens} tokens (1 ms)\n")
        if engine.text_tokens:
            tell(f"Decoder: {engine.text_tokens} text tokens ({engine.generated} steps) in 1 ms "
                 "(prefill 0 ms + 0.1 ms/step)\n")  # fmt: skip


def wav_offset(first: bytes) -> int:
    """Where the samples begin: behind a WAV header, which has to be of the one known kind."""
    if len(first) < 44 or first[:4] != b"RIFF" or first[8:12] != b"WAVE":
        return 0
    kind, channels, rate, bits = 0, 0, 0, 0
    at = 12
    while at + 8 <= len(first):
        name, (size,) = first[at : at + 4], struct.unpack("<I", first[at + 4 : at + 8])
        if name == b"data":
            break
        if name == b"fmt " and size >= 16:
            kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", first[at + 8 : at + 24])
        at += 8 + size + size % 2
    if at + 8 > len(first) or kind != 1 or bits != 16 or channels < 1:
        fail(f"Invalid WAV on stdin (fmt={kind} bits={bits})")
    if (rate, channels) != (16_000, 1):
        fail(f"WAV stdin streaming requires 16kHz mono (got {rate}Hz {channels}ch). "
             "Use: ffmpeg -i pipe:0 -ar 16000 -ac 1 -f s16le pipe:1")  # fmt: skip
    return at + 8


def say(pieces: list[bytes]) -> None:
    """Each piece is a write of its own, so characters arrive in parts."""
    for piece in pieces:
        os.write(1, piece)


class Faults:
    """What goes wrong once a given length of audio was read; see `voxtral_model.Mode`."""

    def __init__(self, behaviour: dict[str, Any]) -> None:
        self._mode = behaviour.get("mode")
        self._after = round(behaviour.get("after_s", 0.0) * 16_000)
        self._pid_file = behaviour.get("pid_file")
        if self._mode == "stubborn":
            self._be_stubborn()

    def happen(self, fed: int, stdin: IO[bytes]) -> None:
        if fed < self._after:
            return
        match self._mode:
            case "crashes":
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                os.kill(os.getpid(), signal.SIGSEGV)
            case "exits":
                sys.exit(0)
            case "deaf":
                time.sleep(FOR_EVER_S)
            case "floods":
                for _ in range(FLOOD_BYTES // 100_000):
                    tell("ggml_metal: warning\n" * 5_000)
                self._mode = None
            case "garbage":
                os.write(1, b"\xff\xfe\x80\xc0" * 16)
            case "babbles":
                os.write(1, b" word" * 50_000)
            case "closes_stdout":
                os.close(1)
                time.sleep(FOR_EVER_S)

    def _be_stubborn(self) -> None:
        """Ignore being asked to end, and have a child that does too."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", STUBBORN_CHILD])
        if self._pid_file:
            Path(self._pid_file).write_text(f"{os.getpid()} {child.pid}")

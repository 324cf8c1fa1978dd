"""Makes the executable `voxtral_binary`, and model folders that it and its provider accept."""

import json
import shlex
import struct
import sys
from pathlib import Path
from typing import Literal

from tests.stand_ins import voxtral_binary

ROOT = Path(__file__).parents[2]
Mode = Literal[
    "never_ready", "no_tokenizer", "crashes", "exits", "deaf", "mute", "floods", "garbage",
    "babbles", "closes_stdout", "stubborn",
]  # fmt: skip


def executable(folder: Path) -> Path:
    """Write `voxtral` into a folder; it is the stand-in, run by this very Python."""
    path = folder / "voxtral"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        "from tests.stand_ins.voxtral_binary import main; main(['voxtral', *sys.argv[1:]])"
    )
    python = shlex.join([sys.executable, "-I", "-S", "-c", code])  # isolated, it starts soon
    path.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    path.chmod(0o755)
    return path


def write_model(
    folder: Path,
    mode: Mode | None = None,
    *,
    after_s: float = 0.0,
    load_s: float = 0.0,
    step_s: float = 0.0,
    eos_after: int | None = None,
    load_error: str | None = None,
    pid_file: Path | None = None,
) -> Path:
    """Write the three files of a model, with two numbers for each tensor.

    Args:
        folder: Made, if it isn't there.
        mode: What goes wrong.
        after_s: How much audio it reads before.
        load_s: How long it loads.
        step_s: How long it takes for each 80 ms of audio, in the encoder and in the decoder.
        eos_after: After so many tokens of silence behind a word, the decoder ends its text.
        load_error: It fails with these words.
        pid_file: Where a stubborn one says which processes it and its child are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for part in voxtral_binary.NEEDED.values() for name in part]
    (folder / "consolidated.safetensors").write_bytes(safetensors(names))
    vocabulary = [{"rank": 0, "token_bytes": "AA==", "token_str": None}]
    special = [{"rank": 0, "token_str": "<unk>", "is_control": True}]
    tekken = {"config": {"version": "v13"}, "vocab": vocabulary, "special_tokens": special}
    (folder / "tekken.json").write_text(json.dumps(tekken))
    behaviour = {
        "mode": mode,
        "after_s": after_s,
        "load_s": load_s,
        "step_s": step_s,
        "eos_after": eos_after,
        "load_error": load_error,
        "pid_file": str(pid_file) if pid_file else None,
    }
    (folder / "params.json").write_text(json.dumps({"dim": 3072, "stand_in": behaviour}))
    return folder


def safetensors(names: list[str]) -> bytes:
    """A file of bf16 tensors with two numbers each."""
    tensors = {
        name: {"dtype": "BF16", "shape": [2], "data_offsets": [4 * at, 4 * at + 4]}
        for at, name in enumerate(names)
    }
    header = json.dumps(tensors).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * len(names))

"""Whisper.cpp model files to damage: where in one the numbers stand that a loader believes."""

import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from models import EMBEDDED

MODEL = EMBEDDED / "ggml-q8_0.bin"
ELEMENTS_AND_BYTES = {0: (1, 4), 1: (1, 2), 8: (32, 34)}


@dataclass(frozen=True)
class Layout:
    """Byte offsets of 32-bit integers, by what they say, and of the pieces between them."""

    header: dict[str, int]
    filters: list[int]
    filter_values: int
    token_count: int
    token_lengths: list[int]
    tensors: list[int]
    """Of the three numbers in front of each."""
    names: list[int]
    end: int

    @property
    def integers(self) -> list[int]:
        """All of them."""
        tensors = [begin + 4 * field for begin in self.tensors for field in range(4)]
        counts = [self.token_count, *self.token_lengths]
        return [*self.header.values(), *self.filters, *counts, *tensors]


def layout_of(content: bytes) -> Layout:
    """Read the file as its format says, believing it."""

    def integer(at: int) -> int:
        return int(struct.unpack_from("<i", content, at)[0])

    fields = """n_vocab n_audio_ctx n_audio_state n_audio_head n_audio_layer n_text_ctx
                n_text_state n_text_head n_text_layer n_mels ftype""".split()
    header = {name: 4 + 4 * number for number, name in enumerate(fields)}
    filters = [48, 52]
    count_at = 56 + 4 * integer(48) * integer(52)
    at, lengths = count_at + 4, []
    for _ in range(integer(count_at)):
        lengths.append(at)
        at += 4 + integer(at)
    tensors, names = [], []
    while at < len(content):
        tensors.append(at)
        dimensions, name_length, kind = (integer(at + 4 * field) for field in range(3))
        elements = 1
        for dimension in range(dimensions):
            elements *= integer(at + 12 + 4 * dimension)
        names.append(at + 12 + 4 * dimensions)
        per, stored = ELEMENTS_AND_BYTES[kind]
        at = names[-1] + name_length + elements // per * stored
    return Layout(header, filters, 56, count_at, lengths, tensors, names, at)


def with_few_tokens(content: bytes, count: int) -> bytes:
    """Keep the first tokens only; the loader names the others itself, and a walk takes no time."""
    layout = layout_of(content)
    tokens = content[layout.token_count + 4 : layout.token_lengths[count]]
    return (
        content[: layout.token_count]
        + struct.pack("<i", count)
        + tokens
        + content[layout.tensors[0] :]
    )


def with_decoder_layers(content: bytes, count: int) -> bytes:
    """Leave the upper decoder layers out, as distillation does; what is left hears little."""
    layout = layout_of(content)
    whole = bytearray(content)
    struct.pack_into("<i", whole, layout.header["n_text_layer"], count)
    pieces = [bytes(whole[: layout.tensors[0]])]
    for begin, name, end in zip(
        layout.tensors, layout.names, [*layout.tensors[1:], layout.end], strict=True
    ):
        layer = re.match(rb"decoder\.blocks\.(\d+)\.", whole[name:end])
        if layer is None or int(layer[1]) < count:
            pieces.append(bytes(whole[begin:end]))
    return b"".join(pieces)


def decode_in_child(path: Path) -> subprocess.CompletedProcess[str]:
    """Load a model with the bare engine, and let it decode two seconds of noise."""
    script = """
import sys
import numpy as np
from pywhispercpp.model import Model
model = Model(sys.argv[1], n_threads=1, print_progress=False)
noise = np.random.default_rng(0).standard_normal(32_000, dtype=np.float32) * np.float32(0.1)
model.transcribe(noise, language="en", audio_ctx=256, max_tokens=16, temperature_inc=0.0)
"""
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

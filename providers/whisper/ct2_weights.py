"""Reads the structure of a CTranslate2 model, skipping its weights.

Source: `Model::load` in CTranslate2's `src/models/model.cc`.
"""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

KNOWN_VERSIONS = range(4, 7)
"""Versions of the file's format, which all store variables in the same way."""
LAYER = "decoder/layer_"
HEADS = "decoder/num_heads"


class Decoder(NamedTuple):
    """The size of a Whisper model's decoder; None for values that the file doesn't have."""

    layers: int | None
    heads: int | None


def read_decoder(path: Path) -> Decoder:
    """Read the decoder's size from a `model.bin`.

    Raises:
        ValueError: The file is cut short or damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        (version,) = _unpack(file, "<I")
        if version not in KNOWN_VERSIONS:
            return Decoder(None, None)
        _text(file)
        _, count = _unpack(file, "<II")
        layers: set[str] = set()
        heads: int | None = None
        for _ in range(count):
            name = _text(file)
            (rank,) = _unpack(file, "<B")
            _unpack(file, f"<{rank}I")
            _, length = _unpack(file, "<BI")
            layer = name.removeprefix(LAYER).partition("/")[0]
            if name.startswith(LAYER) and layer.isdigit():  # not `layer_norm`
                layers.add(layer)
            if name == HEADS and length == 2:
                (heads,) = _unpack(file, "<h")
            else:
                file.seek(length, 1)
            if file.tell() > size:
                raise ValueError(f"{name} reaches past the end, byte {size}")
    return Decoder(len(layers), heads)


def _unpack(file: BinaryIO, form: str) -> tuple[int, ...]:
    content = file.read(struct.calcsize(form))
    if len(content) < struct.calcsize(form):
        raise ValueError(f"cut short at byte {file.tell()}")
    return struct.unpack(form, content)


def _text(file: BinaryIO) -> str:
    (length,) = _unpack(file, "<H")
    return file.read(length).rstrip(b"\0").decode(errors="replace")

"""Checks the files of a Voxtral model before a process is started with them.

The process maps 8.9 GB without checks; an incomplete download is detected here.
"""

import struct
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import ModelError
from providers.voxtral.errors import MODEL

WEIGHTS, TOKENS, PARAMETERS = "consolidated.safetensors", "tekken.json", "params.json"
MAX_HEADER = 1 << 24

T = TypeVar("T")


class _Tensor(msgspec.Struct):
    data_offsets: tuple[int, int] = (0, 0)
    """Begin and end in the file; the metadata entry has none."""


def check_model(folder: Path) -> None:
    """Check that all files are present and complete, without reading the weights.

    Raises:
        ModelError: A file is missing, damaged or cut short.
    """
    if not folder.is_dir():
        raise ModelError(str(folder), "is no folder" if folder.exists() else "is missing", MODEL)
    for name in (WEIGHTS, TOKENS, PARAMETERS):
        if not (folder / name).is_file():
            raise ModelError(str(folder / name), "is missing", MODEL)
    _check_weights(folder / WEIGHTS)
    for name in (TOKENS, PARAMETERS):
        _decode(folder / name, (folder / name).read_bytes(), dict[str, msgspec.Raw])


def _check_weights(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(size - 8, MAX_HEADER):
            raise ModelError(str(path), f"is no safetensors file ({size} bytes)", MODEL)
        header = file.read(length)
    tensors = _decode(path, header, dict[str, _Tensor])
    whole = 8 + length + max((tensor.data_offsets[1] for tensor in tensors.values()), default=0)
    if size < whole:
        raise ModelError(str(path), f"{size} of {whole} bytes", MODEL)


def _decode(path: Path, content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ModelError(str(path), f"is damaged ({error})", MODEL) from error

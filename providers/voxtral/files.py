"""Looks at a folder with a Voxtral model before a process is started on it.

The process maps 8.9 GB and trusts them; a download that was cut short is better found here.
"""

import struct
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.errors import ModelError
from providers.voxtral.errors import MODEL

WEIGHTS, TOKENS, PARAMETERS = "consolidated.safetensors", "tekken.json", "params.json"
MAX_HEADER = 1 << 24
EMBEDDING = "mm_streams_embeddings.embedding_module"
TENSORS = (
    f"{EMBEDDING}.whisper_encoder.conv_layers.0.conv.weight",
    f"{EMBEDDING}.whisper_encoder.transformer.norm.weight",
    f"{EMBEDDING}.audio_language_projection.0.weight",
    f"{EMBEDDING}.tok_embeddings.weight",
    "norm.weight",
)
"""One of each part; with them, it is this model."""


T = TypeVar("T")


class _Tensor(msgspec.Struct):
    data_offsets: tuple[int, int]


class _Tokens(msgspec.Struct):
    vocab: list[msgspec.Raw]
    special_tokens: list[msgspec.Raw]


def check_model(folder: Path) -> None:
    """Look at all that can be seen without reading the weights.

    Raises:
        ModelError: A file is missing, damaged, cut short, or of another model.
    """
    if not folder.is_dir():
        raise ModelError(str(folder), "is no folder" if folder.exists() else "is missing", MODEL)
    for name in (WEIGHTS, TOKENS, PARAMETERS):
        if not (folder / name).is_file():
            raise ModelError(str(folder / name), "is missing", MODEL)
    _check_weights(folder / WEIGHTS)
    _decode(folder / TOKENS, (folder / TOKENS).read_bytes(), _Tokens)
    _decode(folder / PARAMETERS, (folder / PARAMETERS).read_bytes(), dict[str, Any])


def _check_weights(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= min(size - 8, MAX_HEADER):
            raise ModelError(str(path), f"is no safetensors file ({size} bytes)", MODEL)
        header = file.read(length)
    tensors = _decode(path, header, dict[str, msgspec.Raw])
    tensors.pop("__metadata__", None)
    places = {name: _decode(path, raw, _Tensor).data_offsets for name, raw in tensors.items()}
    if missing := [name for name in TENSORS if name not in places]:
        raise ModelError(str(path), f"has no {missing[0]}", MODEL)
    whole = 8 + length + max(end for _, end in places.values())
    if size < whole:
        raise ModelError(str(path), f"{size} of {whole} bytes", MODEL)


def _decode(path: Path, content: bytes | msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ModelError(str(path), f"is damaged ({error})", MODEL) from error

"""Checks the files of a Parakeet model for onnx-asr before they are loaded.

The libraries trust `config.json` and would fail at the first decode, with an error that names no
file.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.errors import ModelError
from providers.models.hub import lacking
from providers.models.onnx_file import check_onnx

CONFIG, VOCABULARY = "config.json", "vocab.txt"


class ParakeetConfig(msgspec.Struct, frozen=True):
    """The fields of `config.json` that onnx-asr reads."""

    model_type: Literal["nemo-conformer-tdt", "nemo-conformer-rnnt"]
    features_size: Literal[80, 128] = 80
    subsampling_factor: Annotated[int, Meta(ge=1, le=64)] = 8


def graph_files(quantization: str | None) -> tuple[str, str]:
    """Return the names of the encoder's and the decoder's file.

    >>> graph_files("int8")
    ('encoder-model.int8.onnx', 'decoder_joint-model.int8.onnx')
    """
    suffix = f".{quantization}" if quantization else ""
    return f"encoder-model{suffix}.onnx", f"decoder_joint-model{suffix}.onnx"


def check_parakeet(folder: Path, quantization: str | None) -> ParakeetConfig:
    """Check a folder's configuration, and that its files are present and complete.

    Raises:
        ModelError: A file is missing or cut short, or the configuration is invalid.
    """
    names = (CONFIG, VOCABULARY, *graph_files(quantization))
    if missing := lacking(folder, names):
        problem = f"has no {missing}" if folder.is_dir() else "no such folder"
        allowed = f"an onnx-asr folder with {', '.join(names)}"
        raise ModelError(str(folder), problem, allowed)
    path = folder / CONFIG
    try:
        config = msgspec.json.decode(path.read_bytes(), type=ParakeetConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise ModelError(str(path), str(error), "the file as published") from error
    for name in graph_files(quantization):
        check_onnx(folder / name)
    return config

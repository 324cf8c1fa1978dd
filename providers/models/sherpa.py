"""Finds the files of a streaming sherpa-onnx model, and checks what its loader needs of them.

The loader ends the process where metadata are missing, and reads past its buffers where they are
wrong. Source: sherpa-onnx/csrc/online-*-model.cc.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ModelError
from providers.models.onnx_file import OnnxFile, read_onnx
from providers.models.subwords import check_pieces

BLANK = "<blk>"
PARTS = ("encoder", "decoder", "joiner")
ALLOWED = "the folder of a streaming transducer: tokens.txt, and encoder, decoder, joiner as *.onnx"
NUMBERS = {
    "conformer": "num_encoder_layers T decode_chunk_len left_context encoder_dim pad_length"
    " cnn_module_kernel",
    "ebranchformer": "decode_chunk_len T num_hidden_layers hidden_size intermediate_size"
    " csgu_kernel_size merge_conv_kernel left_context_len num_heads head_dim",
    "lstm": "num_encoder_layers T decode_chunk_len rnn_hidden_size d_model",
    "zipformer": "encoder_dims attention_dims num_encoder_layers cnn_module_kernels"
    " left_context_len T decode_chunk_len",
    "zipformer2": "encoder_dims query_head_dims value_head_dims num_heads num_encoder_layers"
    " cnn_module_kernels left_context_len T decode_chunk_len",
}
"""What an encoder of each type says of itself: numbers, or lists of them."""
DECODER_NUMBERS = "vocab_size context_size"
A_LIST = re.compile(r"\d+(,\d+)*")


@dataclass(frozen=True)
class SherpaFiles:
    """A model's files."""

    tokens: Path
    encoder: Path
    decoder: Path
    joiner: Path


def sherpa_files(folder: Path, *, int8: bool) -> SherpaFiles:
    """Find a model's files, and check them.

    Args:
        folder: Where they are.
        int8: Whether those are wanted that have `int8` in their names; else those that don't.

    Raises:
        ModelError: One is missing, there are several, or one isn't what it must be.
    """
    if not folder.is_dir():
        raise ModelError(str(folder), "no such folder", ALLOWED)
    tokens = folder / "tokens.txt"
    count = check_pieces(tokens, BLANK)
    models = [path for path in sorted(folder.glob("*.onnx")) if ("int8" in path.name) == int8]
    parts = {part: [path for path in models if part in path.name] for part in PARTS}
    found = {part: read_onnx(_only(folder, part, paths)) for part, paths in parts.items()}
    _check_encoder(found["encoder"])
    _check_numbers(found["decoder"], DECODER_NUMBERS)
    if (size := int(found["decoder"].metadata["vocab_size"])) != count:
        problem = f"{count} pieces, and {found['decoder'].path.name} knows {size}"
        raise ModelError(str(tokens), problem, "the files of one model")
    return SherpaFiles(tokens, *(found[part].path for part in PARTS))


def _only(folder: Path, part: str, paths: list[Path]) -> Path:
    if len(paths) == 1:
        return paths[0]
    problem = f"several of {part}: {', '.join(path.name for path in paths)}" if paths else (
        f"has no {part}*.onnx of that precision"
    )  # fmt: skip
    raise ModelError(str(folder), problem, ALLOWED)


def _check_encoder(encoder: OnnxFile) -> None:
    kind = encoder.metadata.get("model_type", "")
    if kind not in NUMBERS:
        problem = f"its metadata name the model type {kind!r}"
        raise ModelError(str(encoder.path), problem, f"a streaming model: {', '.join(NUMBERS)}")
    _check_numbers(encoder, NUMBERS[kind])


def _check_numbers(file: OnnxFile, names: str) -> None:
    for name in names.split():
        value = file.metadata.get(name, "")
        if not A_LIST.fullmatch(value):
            problem = f"its metadata say {name}={value!r}"
            raise ModelError(str(file.path), problem, "whole numbers, as the exporter writes them")

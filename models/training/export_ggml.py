"""Write a whisper.cpp file, 8-bit: `python -m models.training.export_ggml`.

The layout is that of whisper.cpp's `whisper_model_load`: a header, the mel filters, the text tokens
(the loader names the special ones itself), and the tensors, whose shapes come in reverse order.
"""

import argparse
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models import EMBEDDED
from models.training.features import mel_filters
from models.training.file_names import GGML
from models.training.layers import HEADS, WIDTH
from models.training.network import (
    DECODER_LAYERS,
    DECODER_POSITIONS,
    ENCODER_LAYERS,
    ENCODER_POSITIONS,
    MELS,
)
from models.training.q8_0 import quantise
from models.training.tokens import TOKEN_COUNT, byte_pair_ranks
from models.training.train import CHECKPOINT
from models.training.weights import Weights, read_weights

_MAGIC = 0x67676D6C
_FILE_Q8_0 = 2007  # quantisation version 2 times 1000, plus 7
_F32, _F16, _Q8_0 = 0, 1, 8


def _encode(name: str, array: NDArray[np.float32]) -> tuple[int, tuple[int, ...], bytes]:
    """Choose a tensor's type, shape and bytes as the loader insists on them."""
    if name.endswith(("conv1.bias", "conv2.bias")):
        array = array[:, None]  # expected as a column
    if array.ndim < 2 or name.endswith(("bias", "positional_embedding")):
        return _F32, array.shape, array.astype("<f4").tobytes()
    if array.ndim == 3:  # a convolution; no quantised kernel exists for it
        return _F16, array.shape, array.astype("<f2").tobytes()
    return _Q8_0, array.shape, quantise(array)


def _write_tokens(file: BinaryIO) -> None:
    # All of GPT-2's table and not just our words: the loader looks up " " and fails without it.
    ranks = sorted(byte_pair_ranks().items(), key=lambda item: item[1])
    file.write(struct.pack("<i", len(ranks)))
    for token, _ in ranks:
        file.write(struct.pack("<i", len(token)) + token)


def write_ggml(weights: Weights, path: Path) -> None:
    """Write the file."""
    sizes = (
        TOKEN_COUNT, ENCODER_POSITIONS, WIDTH, HEADS, ENCODER_LAYERS,
        DECODER_POSITIONS, WIDTH, HEADS, DECODER_LAYERS, MELS,
    )  # fmt: skip
    filters = mel_filters().numpy().astype("<f4")
    with path.open("wb") as file:
        file.write(struct.pack("<12i", _MAGIC, *sizes, _FILE_Q8_0))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        _write_tokens(file)
        for name, array in weights.items():
            kind, shape, raw = _encode(name, array)
            file.write(struct.pack("<3i", len(shape), len(name), kind))
            file.write(struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode() + raw)


def main() -> None:
    """Export the checkpoint of `models.training.train`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--out", type=Path, default=EMBEDDED / GGML)
    options = parser.parse_args()
    write_ggml(read_weights(options.checkpoint), options.out)


if __name__ == "__main__":
    main()

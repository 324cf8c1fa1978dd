"""Checks a whisper.cpp model file before the native loader sees it.

whisper.cpp does not fail on a damaged file: the Python binding hands back a model without a
context, and the first decode is a segmentation fault. So the file is walked here, header and
tensors, without reading the weights. The layout is that of whisper.cpp's `whisper_model_load`.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

from harness.errors import ModelError

MAGIC = 0x67676D6C
HEADER = ("n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer", "n_text_ctx",
          "n_text_state", "n_text_head", "n_text_layer", "n_mels", "ftype")  # fmt: skip
LARGEST = 1_000_000
"""No field of a header, and no vocabulary, is larger in any Whisper model."""
LONGEST_TOKEN = 1024
BYTES_AND_ELEMENTS = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32),
    10: (84, 256), 11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256),
}  # fmt: skip
"""Of a block, by ggml tensor type: f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_K to q6_K."""


def check_ggml(path: Path) -> dict[str, int]:
    """Walk a whisper.cpp model file from end to end.

    Returns:
        The header's fields by name.

    Raises:
        ModelError: The file is missing, isn't a whisper.cpp model, or is cut short or damaged.
    """
    if not path.is_file():
        raise ModelError(str(path), "no such file", "a whisper.cpp model file (ggml-….bin)")
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            if _integers(file, 1) != (MAGIC,):
                raise ModelError(
                    str(path), "does not begin with the bytes 'lmgg'", "a ggml-….bin file"
                )
            header = dict(zip(HEADER, _integers(file, len(HEADER)), strict=True))
            _require(all(0 <= value < LARGEST for value in header.values()), f"header {header}")
            mels, bins = _integers(file, 2)
            _require(0 < mels < LARGEST and 0 < bins < LARGEST, f"{mels} x {bins} mel filters")
            file.seek(4 * mels * bins, 1)
            _skip_vocabulary(file)
            tensors = _skip_tensors(file, size)
            expected = 11 + 15 * header["n_audio_layer"] + 24 * header["n_text_layer"]
            _require(tensors == expected, f"{tensors} tensors where the header means {expected}")
        except (ValueError, struct.error) as error:
            raise ModelError(
                str(path),
                f"cut short or damaged at byte {file.tell()} of {size} ({error})",
                "the whole file as published; delete it and get it again",
            ) from error
    return header


def _require(fine: bool, problem: str) -> None:
    if not fine:
        raise ValueError(problem)


def _integers(file: BinaryIO, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}i", file.read(4 * count))


def _skip_vocabulary(file: BinaryIO) -> None:
    (tokens,) = _integers(file, 1)
    _require(0 < tokens < LARGEST, f"{tokens} tokens")
    for _ in range(tokens):
        (length,) = _integers(file, 1)
        _require(0 <= length <= LONGEST_TOKEN, f"a token of {length} bytes")
        file.seek(length, 1)


def _skip_tensors(file: BinaryIO, size: int) -> int:
    count = 0
    while file.tell() < size:
        dimensions, name_length, kind = _integers(file, 3)
        _require(1 <= dimensions <= 4, f"a tensor of {dimensions} dimensions")
        _require(0 < name_length <= LONGEST_TOKEN, f"a tensor name of {name_length} bytes")
        _require(kind in BYTES_AND_ELEMENTS, f"tensor type {kind}")
        shape = _integers(file, dimensions)
        _require(all(0 < length < 2**31 for length in shape), f"a tensor of shape {shape}")
        file.seek(name_length, 1)
        block_bytes, block_elements = BYTES_AND_ELEMENTS[kind]
        file.seek(math.prod(shape) // block_elements * block_bytes, 1)
        _require(file.tell() <= size, "a tensor reaches past the end")
        count += 1
    return count

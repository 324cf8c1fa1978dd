"""Checks that a whisper.cpp model file is complete before it is loaded.

A file that was cut short may load without an error and recognise nothing. So its parts are counted
by their headers, without reading the weights. Other damage crashes the worker process that loads
the file, which is reported as such.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

from harness.errors import ModelError

MAGIC = b"lmgg"
HEADER = ("n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer", "n_text_ctx",
          "n_text_state", "n_text_head", "n_text_layer", "n_mels", "ftype")  # fmt: skip
LARGEST = 100_000
"""Upper bound of the numbers in a Whisper model's headers."""
BYTES_AND_ELEMENTS = {
    0: (4, 1), 1: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32),
    10: (84, 256), 11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256),
}  # fmt: skip
"""Sizes of a block by tensor type: f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_K to q6_K."""


def check_ggml(path: Path) -> dict[str, int]:
    """Check a whisper.cpp model file from its beginning to its end.

    Returns:
        The header's fields by name.

    Raises:
        ModelError: The file is missing, isn't a whisper.cpp model, or is cut short.
    """
    if not path.is_file():
        raise ModelError(str(path), "no such file", "a whisper.cpp model file (ggml-….bin)")
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ModelError(str(path), "does not begin with the bytes 'lmgg'", "a ggml-….bin file")
        try:
            header = dict(zip(HEADER, _numbers(file, len(HEADER)), strict=True))
            _skip_filters_and_vocabulary(file)
            tensors = _skip_tensors(file, size)
            if file.tell() > size:
                raise ValueError("the last tensor reaches past the end")
            if tensors != tensor_count(header):
                raise ValueError(f"{tensors} of {tensor_count(header)} tensors")
        except (ValueError, struct.error) as error:
            raise ModelError(
                str(path),
                f"cut short or damaged near byte {min(file.tell(), size)} of {size} ({error})",
                "the whole file as published; delete it and get it again",
            ) from error
    return header


def tensor_count(header: dict[str, int]) -> int:
    """Return how many tensors a model has, outside and inside of its layers.

    >>> tensor_count({"n_audio_layer": 4, "n_text_layer": 4})  # tiny
    167
    """
    return 11 + 15 * header["n_audio_layer"] + 24 * header["n_text_layer"]


def _numbers(file: BinaryIO, count: int) -> tuple[int, ...]:
    numbers = struct.unpack(f"<{count}i", file.read(4 * count))
    if not all(0 <= number < LARGEST for number in numbers):
        raise ValueError(f"the numbers {numbers}")
    return numbers


def _skip_filters_and_vocabulary(file: BinaryIO) -> None:
    file.seek(4 * math.prod(_numbers(file, 2)), 1)
    (tokens,) = _numbers(file, 1)
    for _ in range(tokens):
        (length,) = _numbers(file, 1)
        file.seek(length, 1)


def _skip_tensors(file: BinaryIO, size: int) -> int:
    count = 0
    while file.tell() < size:
        dimensions, name_length, kind = _numbers(file, 3)
        if dimensions > 4 or kind not in BYTES_AND_ELEMENTS:
            raise ValueError(f"a tensor of {dimensions} dimensions and type {kind}")
        elements = math.prod(_numbers(file, dimensions))
        block_bytes, block_elements = BYTES_AND_ELEMENTS[kind]
        file.seek(name_length + elements // block_elements * block_bytes, 1)
        count += 1
    return count

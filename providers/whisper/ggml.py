"""Checks a whisper.cpp model file before the native loader sees it.

whisper.cpp trusts its files: a cut one may load without a word and hear nothing, a damaged one ends
the process at once or writes past its buffers at the first decode. So the file is walked here from
end to end, without reading the weights, and every number that the loader believes is checked.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

from harness.errors import ModelError
from providers.whisper.ggml_tensors import (
    BYTES_AND_ELEMENTS,
    TYPE_OF_FILE,
    Tensor,
    whisper_tensors,
)

MAGIC = 0x67676D6C
HEADER = ("n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer", "n_text_ctx",
          "n_text_state", "n_text_head", "n_text_layer", "n_mels", "ftype")  # fmt: skip
LARGEST = 100_000
"""No field of a header is larger in any Whisper model."""
MAX_LAYERS = 1000
VOCABULARIES = range(51_864, 51_867)
"""English, 99 languages, 100 languages; whisper.cpp's numbers for special tokens fit no other."""
SPECTRUM_BINS = 201
MAX_TOKEN = 1024
BLANK = b" "
"""The one token that whisper.cpp looks up by its text."""


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
        if file.read(4) != struct.pack("<I", MAGIC):
            raise ModelError(str(path), "does not begin with the bytes 'lmgg'", "a ggml-….bin file")
        try:
            header = _header(file)
            _skip_filters(file, header["n_mels"])
            _skip_vocabulary(file, header["n_vocab"])
            _skip_tensors(file, size, header)
        except (ValueError, struct.error) as error:
            raise ModelError(
                str(path),
                f"cut short or damaged near byte {min(file.tell(), size)} of {size} ({error})",
                "the whole file as published; delete it and get it again",
            ) from error
    return header


def _require(fine: bool, problem: str) -> None:
    if not fine:
        raise ValueError(problem)


def _integers(file: BinaryIO, count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}i", file.read(4 * count))


def _header(file: BinaryIO) -> dict[str, int]:
    header = dict(zip(HEADER, _integers(file, len(HEADER)), strict=True))
    sizes = {name: value for name, value in header.items() if name != "ftype"}
    _require(all(0 < value < LARGEST for value in sizes.values()), f"header {header}")
    _require(header["n_vocab"] in VOCABULARIES, f"{header['n_vocab']} tokens")
    width = header["n_audio_state"]
    _require(header["n_text_state"] == width, "an encoder and a decoder of different widths")
    for part in ("audio", "text"):
        heads, layers = header[f"n_{part}_head"], header[f"n_{part}_layer"]
        _require(width % heads == 0, f"{heads} heads on a width of {width}")
        _require(layers <= MAX_LAYERS, f"{layers} layers")
    return header


def _matrix_type(header: dict[str, int]) -> int:
    """The type of the large tensors; a thousand times the quantisation's version is added to it."""
    kind = TYPE_OF_FILE.get(header["ftype"] % 1000)
    if header["ftype"] < 0 or kind is None:
        raise ValueError(f"file type {header['ftype']}")
    _require(header["n_audio_state"] % BYTES_AND_ELEMENTS[kind][1] == 0, "blocks across rows")
    return kind


def _skip_filters(file: BinaryIO, mels: int) -> None:
    shape = _integers(file, 2)
    _require(shape == (mels, SPECTRUM_BINS), f"mel filters of shape {shape}")
    file.seek(4 * mels * SPECTRUM_BINS, 1)


def _skip_vocabulary(file: BinaryIO, most: int) -> None:
    (count,) = _integers(file, 1)
    _require(0 < count <= most, f"{count} tokens where the header means {most}")
    has_blank = False
    for _ in range(count):
        (length,) = _integers(file, 1)
        _require(0 <= length <= MAX_TOKEN, f"a token of {length} bytes")
        has_blank |= file.read(length) == BLANK
    _require(has_blank, "a vocabulary without a blank")


def _skip_tensors(file: BinaryIO, size: int, header: dict[str, int]) -> None:
    expected = whisper_tensors(header, _matrix_type(header))
    while file.tell() < size:
        dimensions, name_length, kind = _integers(file, 3)
        _require(1 <= dimensions <= 4, f"a tensor of {dimensions} dimensions")
        _require(0 < name_length <= MAX_TOKEN, f"a tensor name of {name_length} bytes")
        shape = _integers(file, dimensions)
        name = file.read(name_length).decode(errors="replace")
        tensor = expected.pop(name, None)
        _require(tensor is not None, f"tensor {name!r}, which isn't one of Whisper's or came twice")
        _require(tensor == Tensor(shape, kind), f"{name} of shape {shape} and type {kind}")
        block_bytes, block_elements = BYTES_AND_ELEMENTS[kind]
        file.seek(math.prod(shape) // block_elements * block_bytes, 1)
        _require(file.tell() <= size, f"{name} reaches past the end")
    _require(not expected, f"{len(expected)} tensors missing, such as {next(iter(expected), '')}")

"""GGML's q8_0: 8-bit weights in blocks, each with a scale of its own."""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 32


def quantise(matrix: NDArray[np.float32]) -> bytes:
    """Pack a matrix as q8_0: for each 32 values of a row, a float16 scale and 32 int8.

    >>> raw = quantise(np.linspace(-1, 1, 32, dtype=np.float32)[None])
    >>> len(raw), np.frombuffer(raw[2:], np.int8)[[0, -1]].tolist()
    (34, [-127, 127])
    """
    blocks = matrix.reshape(-1, _BLOCK)
    scale = np.abs(blocks).max(1) / 127
    packed = np.zeros(len(blocks), dtype=[("scale", "<f2"), ("values", "i1", _BLOCK)])
    packed["scale"] = scale
    packed["values"] = np.round(blocks / np.where(scale > 0, scale, 1)[:, None])
    return packed.tobytes()

"""Which tensors a whisper.cpp model of given sizes consists of, and in which form each is stored.

Source: `whisper_model_load` in whisper.cpp, which makes them before it reads any.
"""

from typing import NamedTuple

F32, F16 = 0, 1
TYPE_OF_FILE = {
    0: F32, 1: F16, 2: 2, 3: 3, 7: 8, 8: 6, 9: 7, 10: 10, 11: 11, 12: 12, 13: 13, 14: 14,
}  # fmt: skip
"""By a file's type, that of its large tensors: q4_0, q4_1, q8_0, q5_0, q5_1, q2_K to q6_K."""
BYTES_AND_ELEMENTS = {
    F32: (4, 1), F16: (2, 1), 2: (18, 32), 3: (20, 32), 6: (22, 32), 7: (24, 32), 8: (34, 32),
    10: (84, 256), 11: (110, 256), 12: (144, 256), 13: (176, 256), 14: (210, 256),
}  # fmt: skip
"""Of a block, by tensor type."""


class Tensor(NamedTuple):
    """How a tensor is stored; its shape with the innermost dimension first."""

    shape: tuple[int, ...]
    kind: int


def whisper_tensors(sizes: dict[str, int], matrix: int) -> dict[str, Tensor]:
    """List the tensors of a model by name.

    Args:
        sizes: The header's fields by name.
        matrix: The type of its large tensors.

    >>> sizes = {"n_vocab": 9, "n_audio_ctx": 8, "n_audio_state": 4, "n_audio_layer": 1,
    ...          "n_text_ctx": 6, "n_text_state": 4, "n_text_layer": 2, "n_mels": 5}
    >>> tensors = whisper_tensors(sizes, F16)
    >>> len(tensors), tensors["decoder.blocks.1.cross_attn.key.weight"]
    (74, Tensor(shape=(4, 4), kind=1))
    """
    width, kernel = sizes["n_audio_state"], F32 if matrix == F32 else F16
    tensors = {
        "encoder.positional_embedding": Tensor((width, sizes["n_audio_ctx"]), F32),
        "encoder.conv1.weight": Tensor((3, sizes["n_mels"], width), kernel),
        "encoder.conv1.bias": Tensor((1, width), F32),
        "encoder.conv2.weight": Tensor((3, width, width), kernel),
        "encoder.conv2.bias": Tensor((1, width), F32),
        **_norm("encoder.ln_post", width),
        "decoder.positional_embedding": Tensor((width, sizes["n_text_ctx"]), F32),
        "decoder.token_embedding.weight": Tensor((width, sizes["n_vocab"]), matrix),
        **_norm("decoder.ln", width),
    }
    for layer in range(sizes["n_audio_layer"]):
        tensors |= _block(f"encoder.blocks.{layer}", ("attn",), width, matrix)
    for layer in range(sizes["n_text_layer"]):
        tensors |= _block(f"decoder.blocks.{layer}", ("attn", "cross_attn"), width, matrix)
    return tensors


def _block(name: str, attentions: tuple[str, ...], width: int, matrix: int) -> dict[str, Tensor]:
    tensors = {
        **_norm(f"{name}.mlp_ln", width),
        **_linear(f"{name}.mlp.0", width, 4 * width, matrix),
        **_linear(f"{name}.mlp.2", 4 * width, width, matrix),
    }
    for attention in attentions:
        tensors |= _norm(f"{name}.{attention}_ln", width)
        for part in ("query", "key", "value", "out"):
            tensors |= _linear(f"{name}.{attention}.{part}", width, width, matrix)
        del tensors[f"{name}.{attention}.key.bias"]  # the only one without
    return tensors


def _norm(name: str, width: int) -> dict[str, Tensor]:
    return {f"{name}.weight": Tensor((width,), F32), f"{name}.bias": Tensor((width,), F32)}


def _linear(name: str, inputs: int, outputs: int, matrix: int) -> dict[str, Tensor]:
    return {
        f"{name}.weight": Tensor((inputs, outputs), matrix),
        f"{name}.bias": Tensor((outputs,), F32),
    }

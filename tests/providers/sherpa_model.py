"""A miniature streaming transducer for sherpa-onnx, which knows the words of `bands`."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.providers.bands import BANDS_HZ, PIECES, hear_bands, kaldi_centres_hz, write_pieces

OPSET, IR = 13, 8
LOUDER = 5.0
"""Nepers by which a word's band stands out; words are 12 above the noise."""
WINDOW, SHIFT = 9, 4
"""Frames of 10 ms that the encoder sees at a time, and by which it goes on."""
WORDS = len(BANDS_HZ)
METADATA = {
    "encoder": {
        "model_type": "lstm", "num_encoder_layers": "1", "T": str(WINDOW),
        "decode_chunk_len": str(SHIFT), "rnn_hidden_size": "1", "d_model": str(WORDS),
    },
    "decoder": {"vocab_size": str(len(PIECES)), "context_size": "2"},
    "joiner": {"joiner_dim": str(len(PIECES))},
}  # fmt: skip


def write_model(folder: Path, ballast: int = 0) -> Path:
    """Write the model's files into a folder, and return that.

    Args:
        folder: Where to.
        ballast: How wide a matrix to multiply with for nothing, so that it costs something.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = (("encoder", encoder(ballast)), ("decoder", decoder()), ("joiner", joiner()))
    for part, graph in parts:
        save(folder / f"{part}.onnx", graph, METADATA[part])
    write_pieces(folder / "tokens.txt")
    return folder


def save(path: Path, graph: Any, metadata: dict[str, str]) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def floats(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def integers(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def constants(**values: Any) -> list[Any]:
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]


def useless(level: str, into: str, width: int) -> tuple[list[Any], list[Any]]:
    """Nodes and values that compute `level` times a wide matrix, squared, and add nothing.

    Args:
        level: A tensor whose last dimension is 80 or more.
        into: The name of the same tensor after all that.
        width: Of the matrix.
    """
    node = helper.make_node
    nodes = [
        node("ReduceMean", [level], ["mean"], axes=[-1], keepdims=1),
        node("MatMul", ["mean", "widen"], ["wide"]),
        node("MatMul", ["wide", "matrix"], ["wider"]),
        node("MatMul", ["wider", "matrix"], ["widest"]),
        node("ReduceMean", ["widest"], ["narrow"], axes=[-1], keepdims=1),
        node("Mul", ["narrow", "none"], ["naught"]),
        node("Add", [level, "naught"], [into]),
    ]
    values = constants(
        widen=np.ones((1, width), np.float32), matrix=np.eye(width, dtype=np.float32),
        none=np.float32(0),
    )  # fmt: skip
    return nodes, values


def encoder(ballast: int = 0) -> Any:
    """A word's piece is louder than the blank in the window in which its band gets loud.

    The state `h` remembers which were loud in the window before.
    """
    node = helper.make_node
    more_nodes, more_values = useless("means", "level", ballast) if ballast else ([], [])
    nodes = [
        node("ReduceMean", ["x"], ["means" if ballast else "level"], axes=[1], keepdims=0),
        *more_nodes,
        node("MatMul", ["level", "hear"], ["louder"]),
        node("Greater", ["louder", "threshold"], ["is_loud"]),
        node("Cast", ["is_loud"], ["loud"], to=TensorProto.FLOAT),
        node("Squeeze", ["h", "first"], ["before"]),
        node("Sub", ["one", "before"], ["was_quiet"]),
        node("Mul", ["loud", "was_quiet"], ["begins"]),
        node("ReduceMean", ["begins"], ["any"], axes=[1], keepdims=1),
        node("Mul", ["any", "zero"], ["nothing"]),
        node("Add", ["nothing", "half"], ["blank"]),
        node("Concat", ["blank", "begins"], ["pieces"], axis=1),
        node("Unsqueeze", ["pieces", "second"], ["encoder_out"]),
        node("Unsqueeze", ["loud", "first"], ["new_h"]),
        node("Identity", ["c"], ["new_c"]),
    ]
    values = constants(
        hear=hear_bands(kaldi_centres_hz()).T.copy(), threshold=np.float32(LOUDER),
        one=np.float32(1), zero=np.float32(0), half=np.float32(0.5),
        first=np.array([0], np.int64), second=np.array([1], np.int64),
    )  # fmt: skip
    values += more_values
    inputs = [floats("x", "N", WINDOW, 80), floats("h", 1, "N", WORDS), floats("c", 1, "N", 1)]
    outputs = [
        floats("encoder_out", "N", 1, len(PIECES)),
        floats("new_h", 1, "N", WORDS),
        floats("new_c", 1, "N", 1),
    ]
    return helper.make_graph(nodes, "encoder", inputs, outputs, values)


def decoder() -> Any:
    """The pieces said so far change nothing."""
    nodes = [
        helper.make_node("Cast", ["y"], ["said"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["said", "nothing"], ["decoder_out"]),
    ]
    values = constants(nothing=np.zeros((2, len(PIECES)), np.float32))
    outputs = [floats("decoder_out", "N", len(PIECES))]
    return helper.make_graph(nodes, "decoder", [integers("y", "N", 2)], outputs, values)


def joiner() -> Any:
    parts = [floats("encoder_out", "N", len(PIECES)), floats("decoder_out", "N", len(PIECES))]
    nodes = [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])]
    return helper.make_graph(nodes, "joiner", parts, [floats("logit", "N", len(PIECES))])

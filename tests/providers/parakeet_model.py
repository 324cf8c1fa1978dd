"""A miniature Parakeet (TDT) in onnx-asr's files, which knows the words of `bands`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from tests.providers.bands import PIECES, hear_bands, slaney_centres_hz, write_pieces
from tests.providers.sherpa_model import constants, floats, integers, save, useless

FEATURES, SUBSAMPLING = 128, 8
LOUDER = 0.8
"""How much louder a word's band is than usual in the window; the features are normalised so."""
DURATIONS = 5
STATES = (2, "B", 16)


def write_model(folder: Path, ballast: int = 0) -> Path:
    """Write the files into a folder, and return that; for the ballast see `sherpa_model`."""
    folder.mkdir(parents=True, exist_ok=True)
    save(folder / "encoder-model.onnx", encoder(ballast), {})
    save(folder / "decoder_joint-model.onnx", decoder_joint(), {})
    write_pieces(folder / "vocab.txt")
    config = {
        "model_type": "nemo-conformer-tdt",
        "features_size": FEATURES,
        "subsampling_factor": SUBSAMPLING,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def encoder(ballast: int = 0) -> Any:
    """A word's piece is louder than the blank in the frame in which its band gets loud."""
    node = helper.make_node
    more_nodes, more_values = useless("frames", "heavier", ballast) if ballast else ([], [])
    if ballast:  # by frame, and back
        more_nodes = [
            node("Transpose", ["audio_signal"], ["frames"], perm=[0, 2, 1]),
            *more_nodes,
            node("Transpose", ["heavier"], ["heavy"], perm=[0, 2, 1]),
        ]
    nodes = [
        *more_nodes,
        node("MatMul", ["hear", "heavy" if ballast else "audio_signal"], ["each"]),
        node(
            "AveragePool", ["each"], ["louder"], kernel_shape=[SUBSAMPLING], strides=[SUBSAMPLING]
        ),
        node("Greater", ["louder", "threshold"], ["is_loud"]),
        node("Cast", ["is_loud"], ["loud"], to=TensorProto.FLOAT),
        node("Pad", ["loud", "one_before"], ["shifted"]),
        node("Slice", ["shifted", "from", "to", "axis"], ["before"]),
        node("Sub", ["one", "before"], ["was_quiet"]),
        node("Mul", ["loud", "was_quiet"], ["begins"]),
        node("ReduceMean", ["begins"], ["any"], axes=[1], keepdims=1),
        node("Mul", ["any", "zero"], ["nothing"]),
        node("Add", ["nothing", "half"], ["blank"]),
        node("Concat", ["blank", "begins"], ["outputs"], axis=1),
        node("Div", ["length", "eight"], ["encoded_lengths"]),
    ]
    values = constants(
        hear=hear_bands(slaney_centres_hz()), threshold=np.float32(LOUDER), one=np.float32(1),
        zero=np.float32(0), half=np.float32(0.5), eight=np.int64(SUBSAMPLING),
        one_before=np.array([0, 0, 1, 0, 0, 0]), to=np.array([-1]), axis=np.array([2]),
        **{"from": np.array([0])},
    )  # fmt: skip
    values += more_values
    inputs = [floats("audio_signal", "B", FEATURES, "T"), integers("length", "B")]
    outputs = [floats("outputs", "B", len(PIECES), "S"), integers("encoded_lengths", "B")]
    return helper.make_graph(nodes, "encoder", inputs, outputs, values)


def decoder_joint() -> Any:
    """What the encoder says, and that it goes on by one frame."""
    node = helper.make_node
    nodes = [
        node("Reshape", ["encoder_outputs", "shape"], ["pieces"]),
        node("Concat", ["pieces", "durations"], ["outputs"], axis=3),
        node("Identity", ["input_states_1"], ["output_states_1"]),
        node("Identity", ["input_states_2"], ["output_states_2"]),
    ]
    values = constants(
        shape=np.array([1, 1, 1, len(PIECES)]),
        durations=np.eye(DURATIONS, dtype=np.float32)[1].reshape(1, 1, 1, DURATIONS),
    )
    numbers = [helper.make_tensor_value_info(name, TensorProto.INT32, shape)
               for name, shape in (("targets", ("B", "U")), ("target_length", ("B",)))]  # fmt: skip
    inputs = [
        floats("encoder_outputs", "B", len(PIECES), "S"),
        *numbers,
        floats("input_states_1", *STATES),
        floats("input_states_2", *STATES),
    ]
    outputs = [
        floats("outputs", "B", 1, 1, len(PIECES) + DURATIONS),
        floats("output_states_1", *STATES),
        floats("output_states_2", *STATES),
    ]
    return helper.make_graph(nodes, "decoder_joint", inputs, outputs, values)

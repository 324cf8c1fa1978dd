"""Write a faster-whisper folder, 8-bit: `python -m models.training.export_ct2`."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperSpec

from models import EMBEDDED
from models.training.byte_pairs import tokenizer_json, vocabulary
from models.training.features import HOP, WINDOW
from models.training.file_names import CTRANSLATE2
from models.training.layers import HEADS, WORD_HEAD
from models.training.network import DECODER_LAYERS, ENCODER_LAYERS, MELS
from models.training.tokens import START_OF_TRANSCRIPT
from models.training.train import CHECKPOINT
from models.training.weights import Weights, read_weights

_SPACE = 220  # the token " "
_LANGUAGES = 99

Spec = Any
"""A node of CTranslate2's tree of layers, whose classes carry no types."""


def _set_linear(spec: Spec, weights: Weights, *names: str) -> None:
    """Set a linear layer, fused from several of Whisper's; a missing bias (of keys) is zero."""
    matrices = [weights[f"{name}.weight"] for name in names]
    spec.weight = np.concatenate(matrices)
    spec.bias = np.concatenate(
        [
            weights.get(f"{name}.bias", np.zeros(len(matrix), np.float32))
            for name, matrix in zip(names, matrices, strict=True)
        ]
    )


def _set_norm(spec: Spec, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _set_block(spec: Spec, weights: Weights, name: str, *, cross: bool) -> None:
    attn = f"{name}.attn"
    fused, out = spec.self_attention.linear
    _set_linear(fused, weights, f"{attn}.query", f"{attn}.key", f"{attn}.value")
    _set_linear(out, weights, f"{attn}.out")
    _set_norm(spec.self_attention.layer_norm, weights, f"{name}.attn_ln")
    if cross:
        attn = f"{name}.cross_attn"
        query, fused, out = spec.attention.linear
        _set_linear(query, weights, f"{attn}.query")
        _set_linear(fused, weights, f"{attn}.key", f"{attn}.value")
        _set_linear(out, weights, f"{attn}.out")
        _set_norm(spec.attention.layer_norm, weights, f"{name}.cross_attn_ln")
    _set_linear(spec.ffn.linear_0, weights, f"{name}.mlp.0")
    _set_linear(spec.ffn.linear_1, weights, f"{name}.mlp.2")
    _set_norm(spec.ffn.layer_norm, weights, f"{name}.mlp_ln")


def _layers(weights: Weights) -> WhisperSpec:
    spec = WhisperSpec(ENCODER_LAYERS, HEADS, DECODER_LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    for name in ("conv1", "conv2"):
        convolution = getattr(encoder, name)
        convolution.weight = weights[f"encoder.{name}.weight"]
        convolution.bias = weights[f"encoder.{name}.bias"]
    for side, stack, norm in ((encoder, "encoder", "ln_post"), (decoder, "decoder", "ln")):
        side.position_encodings.encodings = weights[f"{stack}.positional_embedding"]
        _set_norm(side.layer_norm, weights, f"{stack}.{norm}")
        for number, layer in enumerate(side.layer):
            _set_block(layer, weights, f"{stack}.blocks.{number}", cross=stack == "decoder")
    decoder.embeddings.weight = weights["decoder.token_embedding.weight"]
    decoder.projection.weight = weights["decoder.token_embedding.weight"]
    return spec


def write_ct2(weights: Weights, folder: Path) -> None:
    """Write the folder's five files."""
    spec = _layers(weights)
    spec.register_vocabulary(vocabulary())
    spec.config.suppress_ids = []
    # Without end-of-text, which others forbid here: an empty first answer is how silence reads.
    spec.config.suppress_ids_begin = [_SPACE]
    first_language = START_OF_TRANSCRIPT + 1
    spec.config.lang_ids = list(range(first_language, first_language + _LANGUAGES))
    # Word times are read off these heads; only those taught where words are are fit for it.
    spec.config.alignment_heads = [[layer, WORD_HEAD] for layer in range(DECODER_LAYERS)]
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    extractor = {
        "feature_size": MELS,
        "sampling_rate": 16_000,
        "hop_length": HOP,
        "chunk_length": 30,
        "n_fft": WINDOW,
    }
    for name, content in (
        ("tokenizer.json", tokenizer_json()),
        ("preprocessor_config.json", extractor),
    ):
        text = json.dumps(content, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Export the checkpoint of `models.training.train`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--out", type=Path, default=EMBEDDED / CTRANSLATE2)
    options = parser.parse_args()
    write_ct2(read_weights(options.checkpoint), options.out)


if __name__ == "__main__":
    main()

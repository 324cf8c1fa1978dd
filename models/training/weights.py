"""A trained network as plain arrays, under OpenAI's parameter names."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.training.network import Whisper
from models.training.tokens import TOKEN_COUNT, row_ids

Weights = dict[str, NDArray[np.float32]]


def read_weights(checkpoint: Path) -> Weights:
    """Read a checkpoint into the arrays that a Whisper model file holds.

    The whitening is folded into conv1, the embedding grows to all 51864 rows, and what only
    training needs is left out.

    Raises:
        FileNotFoundError: There is no checkpoint; the message names the command that makes it.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint}: make it with `python -m models.training.train`")
    network = Whisper()
    network.load_state_dict(torch.load(checkpoint)["network"])
    with torch.no_grad():
        table = network.table()
        embedding = table[-1].repeat(TOKEN_COUNT, 1)
        embedding[torch.tensor(row_ids())] = table[:-1]
        weights = {
            name: value.numpy()
            for name, value in network.state_dict().items()
            if name.startswith(("encoder.", "decoder."))
        }
        del weights["encoder.whitening"], weights["encoder.mel_mean"]
        conv1_weight, conv1_bias = network.encoder.plain_conv1()
    weights["encoder.conv1.weight"] = conv1_weight.numpy()
    weights["encoder.conv1.bias"] = conv1_bias.numpy()
    weights["decoder.token_embedding.weight"] = embedding.numpy()
    return weights

"""A very small Whisper, with OpenAI's parameter names.

Both engines look at 1500 encoder positions (30 s), of which a clip fills few: the rest is padding.
To run the encoder on all of them would make a training step ten times slower, so `Encoder` runs on
the positions that hold sound and on a random sample of the padding, each sampled position standing
for many: its attention logits are raised by the log of how many.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from corpora.synthesis.vocabulary import WORDS
from models.training.layers import WIDTH, DecoderBlock, EncoderBlock, look_nearby, sinusoids
from models.training.tokens import (
    GRID,
    ROW_COUNT,
    ROW_FIRST_TIMESTAMP,
    TIMESTAMP_COUNT,
    TOKEN_COUNT,
)

ENCODER_LAYERS = 3
# Not 2: whisper.cpp takes a model with exactly two decoder layers for a distilled one, switches
# time stamps off, and reports segments that start at -1007.26 s.
DECODER_LAYERS = 3
MELS = 80
ENCODER_POSITIONS = 1500
DECODER_POSITIONS = 448

_NEARBY = ((-4.0, -1.5, 1.5, 4.0), (-10.0, -4.0, 4.0, 10.0), (-8.0, 8.0))
"""For each encoder layer, how many positions away its first heads look before training."""


@dataclass(frozen=True)
class EncoderInput:
    """What the encoder hears: a window of sound somewhere in 30 s, and samples of the padding.

    Attributes:
        mel: Log-mel of the window, float32, shape (batch, 80, 2 * positions).
        offset: Encoder position at which the window begins, int64, shape (batch,).
        pad_positions: Sampled positions outside the window, int64, shape (batch, samples). No
            samples means that there is nothing outside the window, as with whisper.cpp's
            `audio_ctx`.
        pad_values: The constant log-mel value there, float32, shape (batch, samples).
    """

    mel: Tensor
    offset: Tensor
    pad_positions: Tensor
    pad_values: Tensor


def _parameters(convolution: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that has both."""
    weight, bias = convolution.parameters()
    return weight, bias


class Encoder(nn.Module):
    """Log-mel to one vector a position of 0.02 s."""

    positional_embedding: Tensor
    whitening: Tensor
    mel_mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(ENCODER_POSITIONS, WIDTH))
        self.register_buffer("whitening", torch.eye(MELS))
        self.register_buffer("mel_mean", torch.zeros(MELS))
        blocks = [EncoderBlock() for _ in range(ENCODER_LAYERS)]
        for block, distances in zip(blocks, _NEARBY, strict=True):
            for head, distance in enumerate(distances):
                look_nearby(block.attn, head, distance)
        self.blocks = nn.ModuleList(blocks)
        self.ln_post = nn.LayerNorm(WIDTH)

    def whiten(self, mel: Tensor) -> None:
        """Set the input transform from samples of log-mel, shape (frames, 80).

        Neighbouring mel bands say almost the same; on decorrelated input training starts faster.
        """
        values, vectors = torch.linalg.eigh(torch.cov(mel.T))
        self.mel_mean.copy_(mel.mean(0))
        self.whitening.copy_((vectors / (values + 2e-3).sqrt()).T.flip(0))

    def plain_conv1(self) -> tuple[Tensor, Tensor]:
        """Fold the whitening into conv1: the weight and bias that act on log-mel itself."""
        learnt, bias = _parameters(self.conv1)
        weight = torch.einsum("omk,mn->onk", learnt, self.whitening)
        return weight, bias - torch.einsum("onk,n->o", weight, self.mel_mean)

    def _constant(self, values: Tensor, conv1_weight: Tensor, conv1_bias: Tensor) -> Tensor:
        """What the convolutions make of a region of constant log-mel, shape (..., width)."""
        hidden = functional.gelu(values[..., None] * conv1_weight.sum((1, 2)) + conv1_bias)
        weight, bias = _parameters(self.conv2)
        return functional.gelu(hidden @ weight.sum(2).T + bias)

    def forward(self, heard: EncoderInput) -> tuple[Tensor, Tensor | None]:
        """Encode the window and the sampled padding behind it.

        Returns:
            Vectors of shape (batch, positions + samples, width), the window first; and what to add
            to attention logits, shape (1, 1, 1, positions + samples), None without padding.
        """
        mel = heard.mel
        positions, samples = mel.shape[2] // 2, heard.pad_positions.shape[1]
        if samples:  # the padding goes on behind the window, where the convolutions still see it
            edge = heard.pad_values[:, None, -1:].expand(-1, MELS, 4)
            mel = torch.cat([mel, edge], 2)
        weight, bias = self.plain_conv1()
        x = functional.gelu(functional.conv1d(mel, weight, bias, padding=1))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)[:, :positions]
        x = x + self.positional_embedding[heard.offset[:, None] + torch.arange(positions)]
        stands_for = None
        if samples:
            padding = self._constant(heard.pad_values, weight, bias)
            padding = padding + self.positional_embedding[heard.pad_positions]
            x = torch.cat([x, padding], 1)
            stands_for = torch.zeros(1, 1, 1, positions + samples)
            stands_for[..., positions:] = math.log((ENCODER_POSITIONS - positions) / samples)
        everywhere = None if stands_for is None else stands_for.expand(len(x), 1, x.shape[1], -1)
        for block in self.blocks:
            x = block(x, everywhere)
        return self.ln_post(x), stands_for


class Decoder(nn.Module):
    """Token vectors and encoded sound to the next token's vector."""

    def __init__(self) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(sinusoids(DECODER_POSITIONS, WIDTH) * 0.1)
        self.blocks = nn.ModuleList(DecoderBlock() for _ in range(DECODER_LAYERS))
        self.ln = nn.LayerNorm(WIDTH)

    def forward(
        self, x: Tensor, encoded: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Return shape (batch, tokens, width), and each layer's guided log weights."""
        x = x + self.positional_embedding[: x.shape[1]]
        log_weights = []
        for block in self.blocks:
            x, layer_log_weights = block(x, encoded, bias)
            log_weights.append(layer_log_weights)
        return self.ln(x), log_weights


@dataclass(frozen=True)
class Prediction:
    """What the network says about a batch.

    Attributes:
        frame_logits: Which word is spoken at a position, or none: shape (batch, positions,
            words + 1). For training only.
        token_logits: The next row, shape (batch, tokens, ROW_COUNT + 1).
        guided: For each decoder layer, the log attention of the guided heads to the window's
            positions, shape (batch, heads, tokens, positions).
    """

    frame_logits: Tensor
    token_logits: Tensor
    guided: list[Tensor]


class Whisper(nn.Module):
    """The network, with the parts that only training needs."""

    timestamp_features: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        rows = torch.randn(ROW_COUNT + 1, WIDTH) * 0.05
        rows[ROW_FIRST_TIMESTAMP:ROW_COUNT] = 0
        self.rows = nn.Parameter(rows)
        # A time stamp's row is its own part plus a linear map of the encoder's position vector for
        # that time: what is learnt about one moment holds for its neighbours, and rare late time
        # stamps need few examples.
        self.timestamp_map = nn.Parameter(torch.eye(WIDTH) * 0.1)
        self.register_buffer("timestamp_features", sinusoids(TIMESTAMP_COUNT, WIDTH)[::GRID])
        self.frame = nn.Linear(WIDTH, len(WORDS) + 1)

    def table(self) -> Tensor:
        """The rows of the embedding, shape (ROW_COUNT + 1, width); the last is the shared one."""
        timestamps = self.rows[ROW_FIRST_TIMESTAMP:ROW_COUNT]
        timestamps = timestamps + self.timestamp_features @ self.timestamp_map
        return torch.cat([self.rows[:ROW_FIRST_TIMESTAMP], timestamps, self.rows[ROW_COUNT:]])

    def forward(self, heard: EncoderInput, tokens: Tensor) -> Prediction:
        """Predict the row that follows each of `tokens` (rows, int64, shape (batch, tokens))."""
        positions = heard.mel.shape[2] // 2
        encoded, bias = self.encoder(heard)
        table = self.table()
        hidden, log_weights = self.decoder(table[tokens], encoded, bias)
        logits = hidden @ table.T
        # The shared row stands for all unused ids; with this the softmax equals the full one.
        unused = torch.zeros(ROW_COUNT + 1)
        unused[ROW_COUNT] = math.log(TOKEN_COUNT - ROW_COUNT)
        return Prediction(
            self.frame(encoded[:, :positions]),
            logits + unused,
            [weights[..., :positions] for weights in log_weights],
        )

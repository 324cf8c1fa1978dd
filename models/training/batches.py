"""Batches. Batch number n of a seed is always the same, whoever makes it and whenever."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from corpora.synthesis.utterances import Utterance
from corpora.synthesis.vocabulary import WORDS
from models.training.disturbances import Random
from models.training.features import log_mel, mel_filters
from models.training.labels import Labels, draw_labels
from models.training.layers import GUIDED, MOMENT_HEAD, WORD_HEAD
from models.training.network import ENCODER_POSITIONS, MELS, EncoderInput
from models.training.tokens import ROW_END_OF_TEXT
from models.training.windows import Window, draw_window

POSITION = 320
"""Samples in one encoder position of 0.02 s."""
POSITION_S = 0.02
TARGETS = 4
"""The most rows among which a target is shared."""

_PAD_SAMPLES = 48
_SHORT_CONTEXT = 0.35
_CONTEXT_MARGIN = 64  # positions of silence behind the clip in a shortened context
_ANYWHERE = 0.1


class Bucket(NamedTuple):
    """Windows of one length: positions of 0.02 s, windows in a batch, share of the batches."""

    positions: int
    size: int
    share: float


# From 2.6 s (whisper.cpp's shortest useful context) to 15 s, and a few of the whole 30 s.
BUCKETS = (
    Bucket(128, 28, 0.20),
    Bucket(256, 16, 0.30),
    Bucket(448, 10, 0.26),
    Bucket(768, 6, 0.21),
    Bucket(ENCODER_POSITIONS, 3, 0.03),
)


@dataclass(frozen=True)
class Batch:
    """What one training step needs.

    Attributes:
        heard: For the encoder.
        tokens: Rows fed to the decoder, int64, shape (batch, tokens).
        target_rows: Rows that may follow, int64, shape (batch, tokens, TARGETS).
        target_mass: Their weights, float32, same shape; 0 where there is nothing to learn.
        guide: Where the guided heads should look, float32, shape (batch, heads, tokens,
            positions); each row sums to 1, or to 0 where a head is free.
        frames: The word spoken at each position, or len(WORDS), int64, shape (batch, positions).
    """

    heard: EncoderInput
    tokens: Tensor
    target_rows: Tensor
    target_mass: Tensor
    guide: Tensor
    frames: Tensor


class Batches:
    """A sequence of batches, made when asked for: `batches[n]`."""

    def __init__(self, utterances: Sequence[Utterance], seed: int) -> None:
        self._utterances, self._seed = utterances, seed
        self._filters = mel_filters()
        self._shares = np.cumsum([bucket.share for bucket in BUCKETS])

    def __getitem__(self, number: int) -> Batch:
        random = np.random.default_rng([self._seed, number])
        choice = int(np.searchsorted(self._shares, random.random() * self._shares[-1]))
        bucket = BUCKETS[choice]
        whole = bucket.positions == ENCODER_POSITIONS
        short_context = not whole and random.random() < _SHORT_CONTEXT
        positions = bucket.positions - (_CONTEXT_MARGIN if short_context else 0)
        windows = [
            draw_window(random, self._utterances, positions * POSITION) for _ in range(bucket.size)
        ]
        if whole or short_context:
            heard = self._unpadded(random, windows, bucket.positions)
        else:
            heard = self._padded(random, windows, bucket.positions)
        labels = [
            draw_labels(random, window, int(offset) * POSITION_S)
            for window, offset in zip(windows, heard.offset, strict=True)
        ]
        return _collate(heard, windows, labels)

    def _mel(
        self, random: Random, windows: Sequence[Window], positions: int
    ) -> tuple[Tensor, Tensor]:
        samples = torch.zeros(len(windows), positions * POSITION)
        for row, window in zip(samples, windows, strict=True):
            row[: len(window.samples)] = torch.from_numpy(window.samples)
        mel, silence = log_mel(samples, self._filters, _colours(random, len(windows)))
        _mask_bands(random, mel)
        return mel, silence

    def _unpadded(self, random: Random, windows: Sequence[Window], positions: int) -> EncoderInput:
        """The window is all that the encoder sees: 30 s, or whisper.cpp's `audio_ctx`."""
        mel, _ = self._mel(random, windows, positions)
        size = len(windows)
        nothing = torch.zeros(size, 0)
        return EncoderInput(mel, torch.zeros(size, dtype=torch.long), nothing.long(), nothing)

    def _padded(self, random: Random, windows: Sequence[Window], positions: int) -> EncoderInput:
        """The rest of 30 s is padding, and so is the end of a window that its clip leaves free.

        Half of the clips are padded as faster-whisper does it, with the feature value 0.0, and half
        as whisper.cpp does, with silence. A tenth of the windows lie later than at the start.
        """
        mel, silence = self._mel(random, windows, positions)
        size, outside = len(windows), ENCODER_POSITIONS - positions
        offset = torch.zeros(size, dtype=torch.long)
        pad_positions = torch.zeros(size, _PAD_SAMPLES, dtype=torch.long)
        pad_values = silence[:, None].repeat(1, _PAD_SAMPLES)
        for index, window in enumerate(windows):
            if random.random() < _ANYWHERE:
                offset[index] = int(random.integers(0, outside))
            begin = int(offset[index])
            places = torch.from_numpy(np.sort(random.integers(0, outside, _PAD_SAMPLES)))
            behind = places >= begin
            pad_positions[index] = torch.where(behind, places + positions, places)
            if random.random() < 0.5:
                pad_values[index, behind] = 0.0
                pad_values[index, -1] = 0.0  # the network continues the window with this one
                mel[index, :, window.length // 160 + 1 :] = 0.0
        return EncoderInput(mel, offset, pad_positions, pad_values)


def _colours(random: Random, size: int) -> Tensor:
    """Power gains of the mel bands: a smooth random equaliser for three windows in five."""
    knots = random.normal(0, 0.35, (size, 1, 6)) * (random.random((size, 1, 1)) < 0.6)
    curve = functional.interpolate(
        torch.from_numpy(knots).float(), size=MELS, mode="linear", align_corners=True
    )
    return torch.pow(10.0, curve[:, 0])


def _mask_bands(random: Random, mel: Tensor) -> None:
    """Blank up to eight neighbouring bands of half of the windows, in place."""
    for features in mel:
        if random.random() < 0.5:
            first = int(random.integers(0, MELS - 8))
            features[first : first + int(random.integers(1, 9))] = features.mean()


def _collate(heard: EncoderInput, windows: Sequence[Window], labels: Sequence[Labels]) -> Batch:
    size, positions = len(windows), heard.mel.shape[2] // 2
    longest = max(len(label.rows) for label in labels)
    tokens = torch.full((size, longest), ROW_END_OF_TEXT)
    target_rows = torch.zeros(size, longest, TARGETS, dtype=torch.long)
    target_mass = torch.zeros(size, longest, TARGETS)
    guide = torch.zeros(size, len(GUIDED), longest, positions)
    frames = torch.full((size, positions), len(WORDS))
    for index, (window, label) in enumerate(zip(windows, labels, strict=True)):
        tokens[index, : len(label.rows)] = torch.tensor(label.rows)
        for place, target in enumerate(label.targets):
            for slot, (row, mass) in enumerate(target.items()):
                target_rows[index, place, slot] = row
                target_mass[index, place, slot] = mass
        for head, regions in ((WORD_HEAD, label.regions), (MOMENT_HEAD, label.moments)):
            for place, region in enumerate(regions):
                for start_s, end_s, weight in region:
                    first = max(0, round(start_s / POSITION_S))
                    last = max(first + 1, round(end_s / POSITION_S))
                    guide[index, head, place, first:last] += weight
        for word in window.words:
            first = word.start // POSITION
            frames[index, first : max(first + 1, word.end // POSITION)] = word.row
    guide /= guide.sum(-1, keepdim=True).clamp(min=1e-6)
    return Batch(heard, tokens, target_rows, target_mass, guide, frames)

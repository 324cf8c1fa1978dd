"""Log-mel features, as both engines compute them: float32, shape (batch, 80, frames of 0.01 s)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.training.tokens import whisper_asset

WINDOW, HOP = 400, 160
RANGE = 8.0  # decades below the loudest value, at which both engines cut
_FLOOR = -10.0


def mel_filters() -> Tensor:
    """Read OpenAI's 80 mel filters, float32, shape (80, 201)."""
    with np.load(whisper_asset("mel_filters.npz")) as file:
        return torch.from_numpy(file["mel_80"]).float()


def scale(decades: Tensor) -> Tensor:
    """Map log10 power to Whisper's feature scale."""
    return (decades + 4) / 4


def log_mel(samples: Tensor, filters: Tensor, gains: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the features of a batch of windows.

    Args:
        samples: float32, shape (batch, n).
        filters: See `mel_filters`.
        gains: Power gain of each band, shape (batch, 80): the colour of a microphone or room.

    Returns:
        The features, shape (batch, 80, n // 160); and the value that silence has in each window,
        shape (batch,), which is what whisper.cpp pads with. (faster-whisper pads with 0.0, which
        is the feature of a rather loud noise.)
    """
    padded = functional.pad(samples[:, None], (WINDOW // 2, 0), mode="reflect")[:, 0]
    padded = functional.pad(padded, (0, WINDOW // 2))
    spectrum = torch.stft(
        padded, WINDOW, HOP, window=torch.hann_window(WINDOW), center=False, return_complex=True
    )
    power = spectrum[..., : samples.shape[1] // HOP].abs() ** 2
    decades = (filters @ power * gains[:, :, None]).clamp(min=10**_FLOOR).log10()
    lowest = decades.amax((1, 2)) - RANGE
    return (
        scale(torch.maximum(decades, lowest[:, None, None])),
        scale(lowest.clamp(min=_FLOOR)),
    )

"""The training loss, in four parts."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.training.batches import Batch
from models.training.network import Prediction
from models.training.tokens import ROW_COUNT, ROW_FIRST_TIMESTAMP, ROW_NO_SPEECH

FRAME_WEIGHT = 0.6
GUIDE_WEIGHT = 0.3
TIME_WEIGHT = 0.2


@dataclass(frozen=True)
class Losses:
    """Scalar tensors, lower is better; `accuracy` is the share of tokens whose best row is right.

    Attributes:
        token: Cross-entropy of the next token against its (shared) target.
        frame: Cross-entropy of the word spoken at each position.
        guide: Divergence of the guided heads' attention from the region where the token's word is.
        time: Cross-entropy among time stamps alone, wherever the target has one. A word's time is
            a twentieth of its target; without this part it is learnt too late, or not at all.
        accuracy: For people to read; nothing is derived from it.
    """

    token: Tensor
    frame: Tensor
    guide: Tensor
    time: Tensor
    accuracy: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return (
            self.token
            + FRAME_WEIGHT * self.frame
            + GUIDE_WEIGHT * self.guide
            + TIME_WEIGHT * self.time
        )


def _time(logits: Tensor, batch: Batch) -> Tensor:
    """See `Losses.time`; the answers to silence are left out."""
    is_time = batch.target_rows >= ROW_FIRST_TIMESTAMP
    silent = ((batch.target_rows == ROW_NO_SPEECH) & (batch.target_mass > 0)).any(-1, keepdim=True)
    mass = batch.target_mass * (is_time & ~silent)
    log_mass = logits[..., ROW_FIRST_TIMESTAMP:ROW_COUNT].log_softmax(-1)
    stamps = (batch.target_rows - ROW_FIRST_TIMESTAMP).clamp(min=0)
    share = mass / mass.sum(-1, keepdim=True).clamp(min=1e-6)
    return -(share * log_mass.gather(2, stamps)).sum() / share.sum().clamp(min=1)


def compare(prediction: Prediction, batch: Batch) -> Losses:
    """Compare what the network says with what it should say."""
    log_mass = prediction.token_logits.log_softmax(-1)
    learnt = batch.target_mass.sum(-1) > 0
    count = learnt.sum()
    token = -(batch.target_mass * log_mass.gather(2, batch.target_rows)).sum() / count
    best = batch.target_rows.gather(2, batch.target_mass.argmax(-1, keepdim=True))[..., 0]
    right = (prediction.token_logits.argmax(-1) == best) & learnt

    frame = functional.cross_entropy(prediction.frame_logits.flatten(0, 1), batch.frames.flatten())

    # Kullback-Leibler divergence, floored so that one blind spot does not drown the rest.
    guided = torch.stack(prediction.guided).clamp(min=-12.0)
    gap = (batch.guide * (batch.guide.clamp(min=1e-9).log() - guided)).sum()
    guide = gap / (batch.guide.sum() * len(prediction.guided)).clamp(min=1)
    time = _time(prediction.token_logits, batch)
    return Losses(token, frame, guide, time, right.sum() / count)

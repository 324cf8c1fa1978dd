"""Train the network: `python -m models.training.train`.

Everything that a step does follows from the seed and the step's number: the batch, and the learning
rate. So a run that was stopped and resumed ends where an uninterrupted one does.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from models.training.batches import Batch, Batches
from models.training.losses import Losses, compare
from models.training.network import MELS, Whisper
from models.training.schedule import learning_rate
from models.training.speech import DEVELOPMENT, TRAINING, WORK, load

CHECKPOINT = WORK / "checkpoint.pt"
_SAVE_EVERY = 500
_REPORT_EVERY = 50
_DEVELOPMENT_BATCHES = 16


class _Epoch:
    """Batches `first` to `last`, as a dataset; its items keep their numbers when resumed."""

    def __init__(self, batches: Batches, first: int, last: int) -> None:
        self._batches, self._first, self._last = batches, first, last

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, index: int) -> Batch:
        return self._batches[self._first + index]


def _stream(batches: Batches, first: int, last: int) -> Iterator[Batch]:
    """Make batches in a process of their own, a few ahead."""
    epoch: Any = _Epoch(batches, first, last)  # torch asks for its own class, and needs none
    yield from DataLoader(epoch, batch_size=None, num_workers=1, prefetch_factor=8)


def _start(batches: Batches) -> Whisper:
    """Make an untrained network, its input whitened by some batches of the training set."""
    network = Whisper()
    mel = torch.cat(
        [batches[number].heard.mel.transpose(1, 2).reshape(-1, MELS) for number in range(12)]
    )
    network.encoder.whiten(mel)
    return network


def _figures(losses: Losses) -> torch.Tensor:
    parts = (losses.token, losses.frame, losses.guide, losses.time, losses.accuracy)
    return torch.stack(parts).detach()


def _text(figures: torch.Tensor) -> str:
    names = ("token", "frame", "guide", "time", "accuracy")
    pairs = zip(names, figures.tolist(), strict=True)
    return " ".join(f"{name} {value:.3f}" for name, value in pairs)


def _judge(network: Whisper, batches: list[Batch]) -> str:
    """Measure the losses on batches that are the same every time."""
    with torch.no_grad():
        figures = [_figures(compare(network(item.heard, item.tokens), item)) for item in batches]
    return _text(torch.stack(figures).mean(0))


def _save(path: Path, network: Whisper, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Replace the checkpoint in one go: a stop in the middle leaves the last one whole."""
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    unfinished = path.with_suffix(".part")
    torch.save(state, unfinished)
    unfinished.replace(path)


def train(checkpoint: Path, *, steps: int, seed: int, resume: bool) -> None:
    """Train to the end, saving every 500 steps."""
    utterances = [utterance for shard in TRAINING for utterance in load(shard.path)]
    batches = Batches(utterances, seed)
    development = Batches(load(DEVELOPMENT.path), seed)
    yardstick = [development[number] for number in range(_DEVELOPMENT_BATCHES)]
    torch.manual_seed(seed)
    network = _start(batches)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    first = 0
    if resume:
        state = torch.load(checkpoint)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    began, recent = time.monotonic(), torch.zeros(5)
    for step, batch in enumerate(_stream(batches, first, steps), start=first):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        losses = compare(network(batch.heard, batch.tokens), batch)
        optimizer.zero_grad()
        torch.autograd.backward(losses.total)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        recent += _figures(losses) / _REPORT_EVERY
        done = step + 1
        if done % _REPORT_EVERY == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"{done} {minutes:.1f} min {_text(recent)}", flush=True)
            recent.zero_()
        if done % _SAVE_EVERY == 0 or done == steps:
            _save(checkpoint, network, optimizer, done)
            print(f"{done} development {_judge(network, yardstick)}", flush=True)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    # Without this, two threads add up some gradients in an order that changes from run to run.
    torch.use_deterministic_algorithms(True)
    train(options.checkpoint, steps=options.steps, seed=options.seed, resume=options.resume)


if __name__ == "__main__":
    main()

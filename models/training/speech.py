"""Synthesise the speech that training and evaluation use: `python -m models.training.speech`.

Writes one `.npz` a shard into the work folder. A shard is drawn from its own seed in its own
process, because espeak-ng carries state from one utterance to the next.
"""

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from corpora.synthesis.espeak import Espeak
from corpora.synthesis.sentences import is_held_out, sentence, word_list
from corpora.synthesis.utterances import RATE_HZ, Utterance, draw_delivery, speak
from corpora.synthesis.vocabulary import WORDS
from corpora.synthesis.voices import DEVELOPMENT_VOICES, HELD_OUT_VOICES, TRAINING_VOICES

WORK = Path(__file__).parent / "work"
_WORD_LISTS = 0.3  # the share of word lists; the rest are sentences


@dataclass(frozen=True)
class Shard:
    """One file of utterances. `held_out` concerns the sentences; voices have their own split."""

    name: str
    seed: int
    count: int
    voices: tuple[str, ...]
    held_out: bool

    @property
    def path(self) -> Path:
        """The shard's file."""
        return WORK / f"{self.name}.npz"


TRAINING = tuple(
    Shard(f"train-{index}", 100 + index, 6000, TRAINING_VOICES, held_out=False)
    for index in range(4)
)
DEVELOPMENT = Shard("development", 200, 240, DEVELOPMENT_VOICES, held_out=True)
TEST = Shard("test", 300, 288, HELD_OUT_VOICES, held_out=True)


def synthesise(shard: Shard) -> list[Utterance]:
    """Make the utterances of a shard; the same shard is the same speech on every run."""
    random = np.random.default_rng(shard.seed)
    espeak = Espeak()
    utterances: list[Utterance] = []
    while len(utterances) < shard.count:
        words = word_list(random) if random.random() < _WORD_LISTS else sentence(random)
        if is_held_out(words) != shard.held_out:
            continue
        delivery = draw_delivery(random)
        if not shard.held_out:
            delivery = replace(delivery, shift=0.9 + 0.22 * random.random())
        # Round robin: every voice gets its share even in a small set.
        utterance = speak(
            espeak, words, shard.voices[len(utterances) % len(shard.voices)], delivery
        )
        if utterance is not None:
            utterances.append(utterance)
    return utterances


def save(path: Path, utterances: Sequence[Utterance]) -> None:
    """Write utterances end to end into one `.npz`."""
    index = {word: number for number, word in enumerate(WORDS)}
    np.savez(
        path,
        samples=np.concatenate([item.samples for item in utterances]),
        lengths=[len(item.samples) for item in utterances],
        words=[index[word] for item in utterances for word in item.words],
        starts=np.concatenate([item.starts for item in utterances]),
        word_counts=[len(item.words) for item in utterances],
        voices=[item.voice for item in utterances],
    )


def load(path: Path) -> list[Utterance]:
    """Read what `save` wrote.

    Raises:
        FileNotFoundError: The file is not there; the message names the command that makes it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: make it with `python -m models.training.speech`")
    with np.load(path) as file:
        samples = np.split(file["samples"], np.cumsum(file["lengths"])[:-1])
        cuts = np.cumsum(file["word_counts"])[:-1]
        words, starts = np.split(file["words"], cuts), np.split(file["starts"], cuts)
        return [
            Utterance(wave, tuple(WORDS[number] for number in spoken), begins, str(voice))
            for wave, spoken, begins, voice in zip(
                samples, words, starts, file["voices"], strict=True
            )
        ]


def _make(shard: Shard) -> str:
    began = time.monotonic()
    utterances = synthesise(shard)
    save(shard.path, utterances)
    hours = sum(len(item.samples) for item in utterances) / RATE_HZ / 3600
    took = time.monotonic() - began
    return f"{shard.name}: {len(utterances)} utterances, {hours:.2f} h, made in {took:.0f} s"


def main() -> None:
    """Make every shard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    processes = parser.parse_args().processes
    WORK.mkdir(exist_ok=True)
    shards = [*TRAINING, DEVELOPMENT, TEST]
    # A fresh process a shard: a used one would bring the last shard's espeak-ng state along.
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for line in pool.map(_make, shards):
            print(line, flush=True)


if __name__ == "__main__":
    main()

"""Windows of sound as a streaming recogniser meets them, with the words that are in them.

Utterances follow each other with pauses, and a window is cut from that: around whole utterances, or
blindly, so that it begins and ends inside a word. Then it is disturbed (`disturb`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from corpora.synthesis.utterances import PEAK, RATE_HZ, Utterance
from corpora.synthesis.vocabulary import WORDS
from models.training.disturbances import Random, Samples, disturb

COMPLETE = 0.88
"""A word counts as heard when this much of it is inside the window."""
_TRACE = 0.1  # of a word with less than this inside, nothing can be heard

_SILENT = 0.1
_BLIND = 0.6
_SINGLE = 0.35  # of the windows around whole utterances: those around one
_ROWS = {word: row for row, word in enumerate(WORDS)}


class Word(NamedTuple):
    """A word's place, in samples from the window's start; `utterance` numbers the utterances."""

    row: int
    start: int
    end: int
    utterance: int


@dataclass(frozen=True)
class Window:
    """Sound and its labels.

    Attributes:
        samples: float32, shape (n,), peaks between -30 and 0 dBFS; zero from `length` on.
        length: How many samples the clip has; what follows is padding.
        words: The words that are in it to at least `COMPLETE`, clipped to the clip.
        has_fragment: Another word is partly in it.
    """

    samples: Samples
    length: int
    words: list[Word]
    has_fragment: bool


def _varied(random: Random, utterance: Utterance, number: int) -> tuple[Samples, list[Word]]:
    """Play an utterance up to 6 % faster and higher, or slower and lower; its peak becomes 1."""
    speed = random.uniform(0.94, 1.06)
    count = int(len(utterance.samples) / speed)
    wave = np.interp(np.arange(count) * speed, np.arange(len(utterance.samples)), utterance.samples)
    words = [
        Word(_ROWS[word], int(start / speed), min(count, int(end / speed)), number)
        for word, start, end in zip(utterance.words, utterance.starts, utterance.ends, strict=True)
    ]
    return (wave / PEAK).astype(np.float32), words


def _pause(random: Random, usual_s: float) -> int:
    """Draw a pause in samples: up to `usual_s`, and now and then up to 4 s."""
    longest_s = 4.0 if random.random() < 0.12 else usual_s
    return int(random.uniform(0, longest_s) * RATE_HZ)


def _speech(
    random: Random, utterances: Sequence[Utterance], count: int, *, blind: bool
) -> tuple[Samples, list[Word], int]:
    """Fill `count` samples with utterances and with pauses, most of them of 0.2 to 1.3 s.

    Returns:
        The samples, every word that touches them, and the clip's length.
    """
    samples, words = np.zeros(count, np.float32), list[Word]()
    place = 0 if random.random() < 0.3 else _pause(random, 0.8)
    single = not blind and random.random() < _SINGLE
    inside_utterance = blind and random.random() < 0.8
    end = number = 0
    for _ in range(30):
        if place >= count:
            break
        wave, spoken = _varied(random, utterances[int(random.integers(len(utterances)))], number)
        if inside_utterance and number == 0:
            place = -int(random.integers(0, len(wave)))
        if not blind and place + len(wave) > count:
            if number:
                break
            place //= 2
            continue
        first, last = max(0, -place), min(len(wave), count - place)
        loudness = 10 ** random.uniform(-0.3, 0) if number else 1.0
        samples[place + first : place + last] += wave[first:last] * np.float32(loudness)
        words += [word._replace(start=word.start + place, end=word.end + place) for word in spoken]
        number += 1
        end = place + len(wave)
        place = end + int(0.2 * RATE_HZ) + _pause(random, 1.1)
        if single:
            break
    if not blind:
        return samples, words, min(count, end + _pause(random, 0.8))
    whole = random.random() < 0.7
    return samples, words, count if whole else int(count * random.uniform(0.4, 1))


def draw_window(random: Random, utterances: Sequence[Utterance], count: int) -> Window:
    """Draw a window of at most `count` samples; one in ten holds no speech."""
    if random.random() < _SILENT:
        samples, touching = np.zeros(count, np.float32), list[Word]()
        length = count if random.random() < 0.5 else int(count * random.uniform(0.3, 1))
    else:
        blind = random.random() < _BLIND
        samples, touching, length = _speech(random, utterances, count, blind=blind)
    samples[length:] = 0
    samples = disturb(random, samples)
    samples[length:] = 0
    words, has_fragment = list[Word](), False
    for word in touching:
        start, end = max(word.start, 0), min(word.end, length)
        inside = (end - start) / (word.end - word.start)
        if inside >= COMPLETE:
            words.append(word._replace(start=start, end=end))
        elif inside > _TRACE:
            has_fragment = True
    return Window(samples, length, words, has_fragment)

"""The sentences: small commands and statements, and lists of words in any order.

Everything is drawn from a numpy `Generator` through `random` and `integers` alone, so that one seed
means one list of sentences.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from corpora.synthesis.vocabulary import (
    ADJECTIVES,
    DAY_PARTS,
    DAYS,
    DIGITS,
    NOUNS,
    PRONOUNS,
    REPLIES,
    SPANS,
    SWITCHES,
    VERBS,
    WORDS,
)

MIN_WORDS, MAX_WORDS = 3, 12

Random = np.random.Generator


def _one(random: Random, words: Sequence[str]) -> str:
    return words[int(random.integers(len(words)))]


def _thing(random: Random) -> list[str]:
    adjective = [_one(random, ADJECTIVES)] if random.random() < 0.5 else []
    return ["the", *adjective, _one(random, NOUNS)]


def _order(random: Random) -> list[str]:
    return [_one(random, VERBS), *_thing(random)]


def _two_orders(random: Random) -> list[str]:
    return [*_order(random), "and", *_order(random)]


def _digits(random: Random) -> list[str]:
    count = int(random.integers(2, 8))
    verb = _one(random, ("call", "send", "check", "find", "show"))
    return [verb, "number", *(_one(random, DIGITS) for _ in range(count))]


def _state(random: Random) -> list[str]:
    return [*_thing(random), "is", _one(random, ADJECTIVES + SWITCHES)]


def _switch(random: Random) -> list[str]:
    return ["turn", _one(random, SWITCHES), *_thing(random)]


def _plan(random: Random) -> list[str]:
    when = [_one(random, ("next", "last")), _one(random, SPANS)]
    return [_one(random, PRONOUNS), *_order(random), *when]


def _appointment(random: Random) -> list[str]:
    when = [_one(random, ("today", "tomorrow")), _one(random, DAY_PARTS)]
    return [*_thing(random), "and", *_thing(random), "start", _one(random, DIGITS), *when]


_PATTERNS: tuple[Callable[[Random], list[str]], ...] = (
    _order, _two_orders, _digits, _state, _switch, _plan, _appointment,
)  # fmt: skip


def sentence(random: Random) -> tuple[str, ...]:
    """Draw one sentence of 3 to 12 words.

    >>> " ".join(sentence(np.random.default_rng(2)))
    'we turn the next budget next minute today'
    """
    words = _PATTERNS[random.integers(len(_PATTERNS))](random)
    if random.random() < 0.2:
        words = [_one(random, REPLIES), *words]
    if random.random() < 0.2:
        words = [*words, _one(random, DAYS)]
    return tuple(words[:MAX_WORDS])


def word_list(random: Random) -> tuple[str, ...]:
    """Draw 3 to 12 words in any order: they teach a model to listen and not to guess."""
    count = int(random.integers(MIN_WORDS, MAX_WORDS + 1))
    return tuple(_one(random, WORDS) for _ in range(count))


def is_held_out(words: Sequence[str]) -> bool:
    """Say whether a sentence belongs to the eighth that no training may hear.

    The split is a hash of the text, so that it holds for every seed and every tool.

    >>> is_held_out(("open", "the", "door")), is_held_out(("turn", "up", "the", "garden"))
    (False, True)
    """
    return zlib.crc32(" ".join(words).encode()) % 8 == 0

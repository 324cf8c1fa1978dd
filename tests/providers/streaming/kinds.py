"""The kinds of streaming engines that hear tones, and sentences for them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st

from harness.audio import Samples
from tests.providers.tone_streams import Habits, ToneFeed
from tests.providers.tones import (
    PITCHES_HZ,
    Engine,
    ToneEngine,
    say,
)

KINDS: dict[str, Callable[[], Engine]] = {
    "windows": ToneEngine,
    "fed": ToneFeed,
    "finds ends": lambda: ToneFeed(Habits(finds_ends=True)),
    "late": lambda: ToneFeed(Habits(late_s=(0.9, 0.2))),
    "late and finds ends": lambda: ToneFeed(Habits(finds_ends=True, late_s=(0.8, 0.1))),
}
"""The later answers of the last two may overtake the earlier ones."""

every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
sentences = st.lists(
    st.lists(st.sampled_from(sorted(PITCHES_HZ)), min_size=1, max_size=14), min_size=1, max_size=3
)


def flat(spoken: list[list[str]]) -> list[str]:
    return [word for words in spoken for word in words]


def audio_of(spoken: list[list[str]]) -> Samples:
    return np.concatenate([say(words) for words in spoken])

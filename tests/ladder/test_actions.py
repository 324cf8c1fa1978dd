"""What the ladder does to a session: each action, done and undone."""

import asyncio

import numpy as np

from harness.ladder.actions import LONGER_BY_S, Switch, longer_chunks, vad_off
from harness.session.chunking import Chunker
from harness.vad import PreFilter, make_detector


def switched(switch: Switch, on: bool) -> str:
    async def wait() -> str:
        return await switch(on)

    return asyncio.run(wait())


def test_chunks_get_longer_and_short_again() -> None:
    chunkers = [Chunker(2.0), Chunker(2.0)]
    switch = longer_chunks(chunkers)
    assert switched(switch, True) == "chunks of 2.5 s"
    assert {chunker.chunk_seconds for chunker in chunkers} == {2.0 + LONGER_BY_S}
    assert switched(switch, False) == "chunks of 2 s"


def test_silence_goes_through_while_the_filter_is_off() -> None:
    prefilter = PreFilter(make_detector("silero"))
    switch = vad_off([prefilter])
    silence = np.zeros(16_000, np.int16)

    def let_through() -> int:
        return sum(len(each.pcm) for each in prefilter.push(silence) if each.is_speech)

    assert let_through() == 0
    assert switched(switch, True) == "silence isn't filtered out"
    assert let_through() >= len(silence)
    assert switched(switch, False) == "silence is filtered out again"
    let_through()  # the gate closes behind what it was open for
    assert let_through() == 0

"""Engines that fail, bad audio and a stop: each kind keeps what was heard before."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from harness.audio import Samples
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioAccount, AudioSource
from harness.errors import AudioError, ProviderError
from tests.providers.streaming.kinds import every_kind
from tests.providers.tones import (
    Engine,
    collect,
    in_session,
    listen,
    live,
    pcm_of,
    say,
    text_of,
    words_in,
)

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


@every_kind
def test_an_engine_that_fails_takes_nothing_back(make: Callable[[], Engine]) -> None:
    """What a partial said becomes final, then the error comes; the next stream works."""
    engine = make()

    def fail_later(samples: Samples, is_final: bool) -> None:
        if len(words_in(samples)) > 4:
            raise MemoryError("no room")

    engine.on_decode = fail_later  # type: ignore[method-assign]

    async def body() -> tuple[list[ASRSegment], str, AudioAccount, list[ASRSegment]]:
        said: list[ASRSegment] = []
        with pytest.raises(ProviderError) as caught:
            await collect(engine.transcribe_stream(live(say(["ah"] * 9))), said)
        account = (await engine.health()).audio["default"]
        return said, str(caught.value), account, await listen(engine, say(["bee"]))

    said, error, account, after = in_session(body(), engine)
    assert "no room" in error
    assert said[-1].is_final
    assert said[-1].text == said[-2].text != ""
    assert account.pending == 0
    assert account.dropped > 0
    assert text_of(after) == ["bee"]


@every_kind
@pytest.mark.parametrize(
    ("bad", "named"),
    [(b"", "0 bytes"), (b"\0", "1 bytes"), (b"\0\0\0", "3 bytes"), ([0.5], "list"),
     ("ab", "str"), (np.full(4, np.nan), "ndarray"), (None, "NoneType")],
)  # fmt: skip
def test_bad_audio_is_named_and_costs_nothing_heard_before(
    make: Callable[[], Engine], bad: Any, named: str
) -> None:
    engine = make()

    async def spoilt() -> AsyncIterator[bytes]:
        async for chunk in pcm_of(say(["ah", "bee"], after_s=0.0)):
            yield chunk
        yield bad

    async def body() -> tuple[list[ASRSegment], AudioError]:
        said: list[ASRSegment] = []
        with pytest.raises(AudioError) as caught:
            await collect(engine.transcribe_stream(spoilt(), source=MIC), said)
        return said, caught.value

    said, error = in_session(body(), engine)
    assert text_of(said) == ["ah", "bee"]
    assert named in error.problem
    assert error.where == "tones, source mic, chunk 3"
    assert error.allowed is not None


@every_kind
def test_a_stop_in_the_middle_of_a_decode_ends_the_stream(make: Callable[[], Engine]) -> None:
    """What the engine found before it was cut short is not passed off as a final."""
    engine, decoding = make(), threading.Event()

    def slow(samples: Samples, is_final: bool) -> None:
        decoding.set()
        time.sleep(0.2)

    engine.on_decode = slow  # type: ignore[method-assign]

    async def body() -> list[ASRSegment]:
        said: list[ASRSegment] = []
        stream = engine.transcribe_stream(pcm_of(say(["ah", "bee"])))
        listening = asyncio.create_task(collect(stream, said))
        await asyncio.to_thread(decoding.wait, 10)
        await engine.stop_session("test")
        with pytest.raises(ProviderError, match="stopped"):
            await listening
        return said

    assert in_session(body(), engine, ClockKind.WALL) == []

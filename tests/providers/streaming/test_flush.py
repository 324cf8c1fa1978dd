"""Flushing each kind of streaming engine: finals at once, and nothing twice."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import Samples, to_pcm16
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioSource
from tests.profiles import examples
from tests.providers.signals import samples_of
from tests.providers.streaming.kinds import KINDS, audio_of, every_kind
from tests.providers.tones import (
    Engine,
    ToneEngine,
    finals,
    in_session,
    listen,
    pcm_of,
    say,
    text_of,
)

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


@every_kind
@given(st.lists(st.sampled_from(["push", "flush"]), min_size=1, max_size=30), st.data())
@settings(max_examples=examples(12))
def test_flush_returns_finals_and_nothing_twice(
    make: Callable[[], Engine], steps: list[str], data: st.DataObject
) -> None:
    """Text comes either from the flush or from the stream, and words cut by it are all it costs."""
    engine, audio = make(), audio_of([["ah", "bee"], ["cee", "dee", "ee"]])
    flushed: list[ASRSegment] = []

    async def with_flushes() -> AsyncIterator[bytes]:
        at = 0
        for step in steps:
            if step == "flush":
                flushed.extend(await engine.flush(MIC))
            else:
                size = data.draw(st.integers(100, 20_000))
                if len(audio[at : at + size]):
                    yield to_pcm16(audio[at : at + size]).tobytes()
                at += size
        yield to_pcm16(np.zeros(100, np.float32)).tobytes()

    async def body() -> list[ASRSegment]:
        return [s async for s in engine.transcribe_stream(with_flushes(), source=MIC)]

    said = in_session(body(), engine)
    assert all(segment.is_final for segment in flushed)
    ids = [segment.segment_id for segment in flushed + finals(said)]
    assert len(ids) == len(set(ids))
    in_order = sorted(flushed + finals(said), key=lambda segment: segment.segment_id)
    assert all(before.t1 <= after.t0 for before, after in pairwise(in_order))


@pytest.mark.slow
@every_kind
def test_a_flush_from_another_task_waits_for_its_turn(make: Callable[[], Engine]) -> None:
    """The window that is being decoded is finished first; then what it said becomes final."""
    engine = make()
    decoding, go_on = threading.Event(), threading.Event()

    def wait(samples: Samples, is_final: bool) -> None:
        decoding.set()
        assert go_on.wait(10)

    engine.on_decode = wait  # type: ignore[method-assign]

    async def body() -> tuple[list[ASRSegment], list[ASRSegment]]:
        audio, between_words = audio_of([["ah", "bee"], ["cee"]]), [samples_of(0.85)]
        listening = asyncio.create_task(listen(engine, audio, between_words, source=MIC))
        await asyncio.to_thread(decoding.wait, 10)
        flushing = asyncio.create_task(engine.flush(MIC))
        await asyncio.sleep(0)
        go_on.set()
        return await flushing, await listening

    flushed, said = in_session(body(), engine, ClockKind.WALL)
    assert [segment.is_final for segment in flushed] == [True]
    assert text_of(flushed) + text_of(said) == ["ah", "bee", "cee"]


@pytest.mark.parametrize("kind", ["windows", "fed"])
def test_a_flush_that_outlives_its_stream_leaves_nothing_to_the_next(kind: str) -> None:
    """What had not been read when it began goes back to the stream if it fails; not to the next."""
    engine = KINDS[kind]()
    decoding, go_on = threading.Event(), threading.Event()
    flushes: list[bool] = []

    def fail_later(samples: Samples, is_final: bool) -> None:
        if flushes:
            decoding.set()
            assert go_on.wait(10)
            raise MemoryError("no room")

    async def body() -> list[ASRSegment]:
        if isinstance(engine, ToneEngine):
            engine.decodes_finals_anew = True
        engine.on_decode = fail_later  # type: ignore[method-assign]
        audio = np.concatenate([say(["ah"]), say(["bee"], after_s=0.0)])
        stream = engine.transcribe_stream(pcm_of(audio, [len(audio)]))
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            first = await anext(stream)  # the other one is said too, and nobody reads it
            flushes.append(True)
            flushing = asyncio.create_task(engine.flush())
            await asyncio.to_thread(decoding.wait, 10)
        go_on.set()
        assert isinstance((await asyncio.gather(flushing, return_exceptions=True))[0], Exception)
        flushes.clear()
        assert first.text == "ah"
        return await listen(engine, say(["dee"]))

    said = in_session(body(), engine, ClockKind.WALL)
    assert {segment.text for segment in said} == {"dee"}


@every_kind
def test_flushing_what_does_not_stream_gives_nothing(make: Callable[[], Engine]) -> None:
    engine = make()

    async def body() -> list[ASRSegment]:
        await listen(engine, say(["ah"]))
        return await engine.flush() + await engine.flush(SYSTEM)

    assert in_session(body(), engine) == []

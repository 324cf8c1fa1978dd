import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ, Samples, to_pcm16
from harness.clock import ClockKind
from harness.contract import ASRSegment, AudioAccount, AudioSource
from harness.errors import AudioError, ProviderError
from tests.profiles import examples
from tests.providers.signals import chunk_sizes, samples_of
from tests.providers.tone_streams import Habits, ToneFeed
from tests.providers.tones import (
    PITCHES_HZ,
    Engine,
    ToneEngine,
    collect,
    finals,
    in_session,
    listen,
    live,
    pcm_of,
    say,
    text_of,
    words_in,
)

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM
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


@given(sentences)
@settings(max_examples=examples(40))
def test_the_engine_hears_what_is_said(spoken: list[list[str]]) -> None:
    heard = words_in(audio_of(spoken))
    assert [word.text for word in heard] == flat(spoken)


@every_kind
@given(sentences, chunk_sizes)
@settings(max_examples=examples(12))
def test_the_finals_say_every_word_once(
    make: Callable[[], Engine], spoken: list[list[str]], sizes: list[int]
) -> None:
    engine = make()
    said = in_session(listen(engine, audio_of(spoken), sizes), engine)
    assert text_of(said) == flat(spoken)


@every_kind
@given(sentences, chunk_sizes)
@settings(max_examples=examples(12))
def test_segments_keep_the_contract(
    make: Callable[[], Engine], spoken: list[list[str]], sizes: list[int]
) -> None:
    engine, audio = make(), audio_of(spoken)
    said = in_session(listen(engine, audio, sizes), engine)
    for before, after in pairwise(said):
        if before.is_final:
            assert (after.segment_id, after.revision) == (before.segment_id + 1, 0)
            assert after.t0 >= before.t1
        else:
            assert (after.segment_id, after.revision) == (before.segment_id, before.revision + 1)
            stable = [word.text for word in before.words[: before.stable_words]]
            kept = [word.text for word in after.words][: len(stable)]
            # A forced cut moves the last words into the next segment.
            assert kept == stable[: len(kept) if after.is_final else None]
    assert said[-1].is_final
    assert said[-1].t1 <= len(audio) / SAMPLE_RATE_HZ
    for segment in said:
        assert segment.text.split() == [word.text for word in segment.words]
        assert all(w.t0 <= w.t1 for w in segment.words)
        assert not segment.is_final or segment.stable_words == len(segment.words)


@every_kind
def test_words_are_where_they_were_spoken(make: Callable[[], Engine]) -> None:
    engine, spoken = make(), ["ah", "bee", "cee"]
    said = in_session(listen(engine, say(spoken, before_s=1.0)), engine)
    for number, word in enumerate(said[-1].words):
        assert word.t0 == pytest.approx(1.0 + 0.4 * number, abs=0.02)
        assert word.t1 == pytest.approx(1.3 + 0.4 * number, abs=0.02)


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


@every_kind
@given(chunk_sizes, st.integers(0, 12))
@settings(max_examples=examples(12))
def test_a_second_stream_goes_on_with_the_session(
    make: Callable[[], Engine], sizes: list[int], left_after: int
) -> None:
    """Times, segment ids and the account are the session's, also after a cancelled stream."""
    engine, audio = make(), say(["ah", "bee", "cee"])

    async def body() -> tuple[list[ASRSegment], list[ASRSegment], AudioAccount, AudioAccount]:
        first = []
        stream = engine.transcribe_stream(pcm_of(audio, sizes), source=MIC)
        async with contextlib.aclosing(stream):  # type: ignore[type-var]
            async for segment in stream:
                first.append(segment)
                if len(first) > left_after:
                    break
        between = (await engine.health()).audio["mic"]
        second = await listen(engine, audio, sizes, MIC)
        return first, second, between, (await engine.health()).audio["mic"]

    first, second, between, after = in_session(body(), engine)
    assert between.pending == after.pending == 0
    assert after.received == between.received + len(audio)
    assert after.dropped == between.dropped
    assert text_of(second) == ["ah", "bee", "cee"]
    assert second[0].revision == 0
    assert second[0].segment_id not in {segment.segment_id for segment in first}
    begin_s = between.received / SAMPLE_RATE_HZ
    assert second[0].words[0].t0 == pytest.approx(begin_s + 0.5, abs=0.03)


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


@every_kind
def test_two_sources_keep_apart(make: Callable[[], Engine]) -> None:
    engine = make()
    spoken = {MIC: ["ah", "bee", "cee", "dee"] * 4, SYSTEM: ["ee", "dee"] * 7}

    async def body() -> list[list[ASRSegment]]:
        streams = (listen(engine, say(words), source=source) for source, words in spoken.items())
        return await asyncio.gather(*streams)

    for (source, words), said in zip(spoken.items(), in_session(body(), engine), strict=True):
        assert text_of(said) == words
        assert {segment.source for segment in said} == {source}

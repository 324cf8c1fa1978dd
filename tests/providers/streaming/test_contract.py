"""What each kind of streaming engine keeps: every word once, in order, per source and session."""

import asyncio
import contextlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment, AudioAccount, AudioSource
from tests.profiles import examples
from tests.providers.signals import chunk_sizes
from tests.providers.streaming.kinds import audio_of, every_kind, flat, sentences
from tests.providers.tones import (
    Engine,
    in_session,
    listen,
    pcm_of,
    say,
    text_of,
    words_in,
)

MIC, SYSTEM = AudioSource.MIC, AudioSource.SYSTEM


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
def test_two_sources_keep_apart(make: Callable[[], Engine]) -> None:
    engine = make()
    spoken = {MIC: ["ah", "bee", "cee", "dee"] * 4, SYSTEM: ["ee", "dee"] * 7}

    async def body() -> list[list[ASRSegment]]:
        streams = (listen(engine, say(words), source=source) for source, words in spoken.items())
        return await asyncio.gather(*streams)

    for (source, words), said in zip(spoken.items(), in_session(body(), engine), strict=True):
        assert text_of(said) == words
        assert {segment.source for segment in said} == {source}

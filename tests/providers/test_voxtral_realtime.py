"""The provider on the stand-in, which hears each burst of sound as a word."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from harness.activities.conformance import RULES, conform
from harness.audio import SAMPLE_RATE_HZ, to_pcm16
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource, InferenceSpan, Option
from harness.errors import ModelError, UnavailableError
from harness.journal.events import Event, RuleChecked
from harness.provider.recording import RecordingObserver
from harness.provider.registry import make_provider
from providers.voxtral import process as voxtral_process
from providers.voxtral_realtime import MODEL
from tests.providers.engines import chunks, hear, shortest, spec, text_of
from tests.providers.signals import noise, samples_of
from tests.providers.voxtral_sessions import (
    CONFIG,
    GAP_S,
    WORD_S,
    meant,
    pcm,
    session,
    spoken,
)
from tests.stand_ins.voxtral_engine import Engine
from tests.stand_ins.voxtral_model import executable, write_model


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return executable(tmp_path_factory.mktemp("program"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.mark.slow
def test_every_rule_of_the_contract_is_kept(program: Path, tmp_path: Path) -> None:
    """By a process that ends its text at each pause, as the real one may."""
    events: list[Event] = []
    model = write_model(tmp_path / "model", eos_after=12, step_s=0.0005)

    async def body() -> None:
        place: dict[str, Option] = {"binary": str(program), "folder": str(model)}
        provider = make_provider("voxtral_realtime", {**place, "processes": 2})
        trial = msgspec.structs.replace(spec("voxtral_realtime", ClockKind.WALL), model=MODEL)
        await conform(provider, trial, shortest(3), events.append)
        await provider.close()

    run(body(), ClockKind.WALL)
    checks = {event.check: event for event in events if isinstance(event, RuleChecked)}
    assert set(checks) == set(RULES)
    assert not [check for check in checks.values() if not check.passed]


@pytest.mark.parametrize("chunk_s", [0.1, 0.7, 4.0])
def test_each_word_is_heard_once(program: Path, model: Path, chunk_s: float) -> None:
    parts = [spoken(3), spoken(6, pitch=2), spoken(1, pitch=5), spoken(4, pitch=1, end_s=0.0)]

    async def body() -> list[ASRSegment]:
        async with session(program, model) as provider:
            return await hear(provider, pcm(*parts), chunk_s=chunk_s)

    said = run(body(), ClockKind.WALL)
    assert [s.text for s in said if s.is_final] == [meant(part) for part in parts]
    for final in (segment for segment in said if segment.is_final):
        partials = [s for s in said if s.segment_id == final.segment_id and not s.is_final]
        assert all(final.text.startswith(partial.text) for partial in partials)


def test_times_lie_where_the_words_are(program: Path, model: Path) -> None:
    """A partial ends no sooner than what it shows, and with the utterance at the latest."""
    audio = pcm(spoken(6), spoken(6))

    async def body() -> list[ASRSegment]:
        async with session(program, model) as provider:
            return await hear(provider, audio, chunk_s=0.3)

    said = run(body(), ClockKind.WALL)
    for segment in said:
        begin_s = 0.7 + segment.segment_id * len(spoken(6)) / SAMPLE_RATE_HZ
        end_s = begin_s + 6 * (WORD_S + GAP_S) - GAP_S
        shown_s = begin_s + len(segment.text.split()) * (WORD_S + GAP_S) - GAP_S
        assert segment.t0 == pytest.approx(begin_s - 0.3, abs=0.11)
        assert shown_s - 0.1 < segment.t1 < end_s + 0.9
        if segment.is_final:
            assert segment.t1 == pytest.approx(end_s + 0.6, abs=0.3)


def test_silence_is_not_fed(program: Path, model: Path) -> None:
    hush = noise(samples_of(20.0), -75)

    async def body() -> tuple[int, int]:
        observer = RecordingObserver()
        async with session(program, model, observer=observer) as provider:
            said = await hear(provider, pcm(hush))
            assert said == []
            account = (await provider.health()).audio["default"]
            assert observer.spans == []
            return account.skipped, account.received

    skipped, received = run(body(), ClockKind.WALL)
    assert skipped == received == len(hush)


def test_one_process_serves_a_source_for_the_whole_session(program: Path, model: Path) -> None:
    async def body() -> None:
        async with session(program, model) as provider:
            before = {process.pid for process in psutil.Process().children()}
            for source in (AudioSource.MIC, AudioSource.MIC, None):
                await hear(provider, pcm(spoken(2)), source)
                await provider.stop_session("test")
                assert await provider.start_session("test", CONFIG)
            assert {process.pid for process in psutil.Process().children()} == before

    run(body(), ClockKind.WALL)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_slow_source_starves_no_other(program: Path, tmp_path: Path, processes: int) -> None:
    """Each has a process, loaded with the session or when it is needed."""
    model = write_model(tmp_path / "model", step_s=0.01)

    async def stalling() -> AsyncIterator[bytes]:
        async for chunk in chunks(pcm(spoken(6)), 0.5):
            yield chunk
        await asyncio.Event().wait()

    async def body() -> list[ASRSegment]:
        async with session(program, model, processes=processes) as provider:
            stream = provider.transcribe_stream(stalling(), source=AudioSource.MIC)
            async with contextlib.aclosing(stream):  # type: ignore[type-var]
                await anext(stream)
                return await hear(provider, pcm(spoken(4)), AudioSource.SYSTEM)

    assert text_of(run(body(), ClockKind.WALL)) == meant(spoken(4))


@pytest.mark.slow
def test_inference_is_told_step_by_step(program: Path, tmp_path: Path) -> None:
    """The stand-in takes 2 ms for each token twice; no moment of that is left out."""
    model = write_model(tmp_path / "model", step_s=0.002)

    async def body() -> list[InferenceSpan]:
        observer = RecordingObserver()
        async with session(program, model, observer=observer) as provider:
            await hear(provider, pcm(spoken(6), spoken(6)), AudioSource.MIC, chunk_s=2.0)
            return observer.spans

    spans = run(body(), ClockKind.WALL)
    assert {span.source for span in spans} == {AudioSource.MIC}
    assert {round(span.window_s, 3) for span in spans} >= {0.512}
    assert all(before.end_s <= after.begin_s for before, after in pairwise(spans))
    tokens = sum(span.window_s for span in spans) / 0.08
    assert sum(span.end_s - span.begin_s for span in spans) > 0.9 * tokens * 2 * 0.002


def test_what_was_taken_for_a_prompt_is_fed_again(program: Path, tmp_path: Path) -> None:
    """The process ends its text in an utterance, which murmur that it can't hear prolongs."""
    model = write_model(tmp_path / "model", eos_after=8)
    at_s = np.arange(samples_of(2.4)) / SAMPLE_RATE_HZ
    murmur = noise(len(at_s), -52) * (0.02 + np.sin(9 * at_s) ** 2).astype(np.float32)
    first, second = spoken(2, end_s=0.0), spoken(3, pitch=3)[samples_of(0.7) :]
    audio = np.concatenate([first, murmur, second])

    async def body(chunk_s: float) -> list[ASRSegment]:
        async with session(program, model) as provider:
            return await hear(provider, to_pcm16(audio), chunk_s=chunk_s)

    for chunk_s in (0.2, 1.0, 6.0):
        said = run(body(chunk_s), ClockKind.WALL)
        assert text_of(said) == f"{meant(first)} {meant(second)}"
        assert sum(segment.is_final for segment in said) == 1


@pytest.mark.slow
def test_it_never_renews_itself_in_the_middle_of_speech(
    program: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four minutes of speech; without our doing, words would be lost around 160 s."""
    part = spoken(6)
    audio = pcm(*[part] * (240 * SAMPLE_RATE_HZ // len(part)))

    async def body() -> list[ASRSegment]:
        async with session(program, model) as provider:
            return await hear(provider, audio, chunk_s=8.0)

    finals = [segment.text for segment in run(body(), ClockKind.WALL) if segment.is_final]
    assert finals == [meant(part)] * len(finals)
    assert len(finals) == len(audio) // len(part)
    monkeypatch.setattr(voxtral_process, "RENEW_AFTER_S", 1000.0)
    spoilt = [segment.text for segment in run(body(), ClockKind.WALL) if segment.is_final]
    assert spoilt != finals


def test_memory_stays_flat(program: Path, model: Path) -> None:
    """Of this process and the program, from one minute of speech to the fourth."""
    minute = pcm(*[spoken(6)] * 13)

    def held() -> int:
        us = psutil.Process()
        return sum(each.memory_info().rss for each in [us, *us.children(recursive=True)])

    async def body() -> int:
        async with session(program, model) as provider:
            await hear(provider, minute, chunk_s=2.0)
            before = held()
            for _ in range(3):
                await hear(provider, minute, chunk_s=2.0)
            return held() - before

    assert run(body(), ClockKind.WALL) < 5_000_000


@pytest.mark.slow
def test_a_stream_that_was_left_leaves_nothing_to_the_next(program: Path, tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", step_s=0.002)

    async def body() -> list[ASRSegment]:
        async with session(program, model) as provider:
            for _ in range(3):
                stream = provider.transcribe_stream(chunks(pcm(spoken(6), spoken(6)), 0.5))
                async with contextlib.aclosing(stream):  # type: ignore[type-var]
                    await anext(stream)
            return await hear(provider, pcm(spoken(3, pitch=2)))

    assert text_of(run(body(), ClockKind.WALL)) == meant(spoken(3, pitch=2))


def test_program_and_model_are_found_by_option_or_variable(
    program: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("ECHOBENCH_VOXTRAL_BIN", raising=False)
    monkeypatch.delenv("ECHOBENCH_VOXTRAL_MODEL", raising=False)
    provider = make_provider("voxtral_realtime", {})
    assert not provider.is_available
    assert [need.missing() for need in provider.requires] == [
        "the program voxtral", f"a folder with {MODEL}",
    ]  # fmt: skip
    with pytest.raises(ModelError, match="no folder is given"):
        provider.locate_model(MODEL)
    with pytest.raises(UnavailableError, match=r"lacks the program voxtral.*VOXTRAL_BIN"):
        run(provider.start_session("test", CONFIG), ClockKind.WALL)
    monkeypatch.setenv("ECHOBENCH_VOXTRAL_BIN", str(program))
    with pytest.raises(UnavailableError, match=r"lacks a folder with .*VOXTRAL_MODEL"):
        run(provider.start_session("test", CONFIG), ClockKind.WALL)
    assert provider.locate_model(str(model)) == model
    monkeypatch.setenv("ECHOBENCH_VOXTRAL_MODEL", str(model))
    assert provider.is_available
    assert provider.locate_model(MODEL) == model
    options = {"binary": str(program), "folder": str(model.parent)}
    assert make_provider("voxtral_realtime", options).requires[1].missing() is None
    with pytest.raises(ModelError, match="is missing"):
        make_provider("voxtral_realtime", options).locate_model(MODEL)


def test_the_stand_in_says_what_its_ear_hears() -> None:
    """So that `meant` means something: all of it, in order, and nothing in silence."""
    assert len(meant(spoken(6)).split()) == 6
    assert len(set(meant(spoken(6)).split())) > 3
    assert meant(np.zeros(SAMPLE_RATE_HZ, np.float32)) == ""
    engine = Engine(0.5, None, lambda symbol: None, lambda tokens: None)
    pieces = engine.feed(bytes(2 * 16_000)) + engine.feed(pcm(spoken(6)).tobytes())
    text = b"".join(pieces + engine.finish()).decode()
    assert text == meant(spoken(6))

"""What both in-process engines must do, tried through them and the embedded model."""

import asyncio
import time
from collections.abc import Iterator

import jiwer
import numpy as np
import pytest

from harness.audio import SAMPLE_RATE_HZ, to_float
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource, SessionConfig
from harness.errors import ProviderError
from harness.provider.recording import RecordingObserver
from harness.provider.registry import find_corpus, make_provider
from harness.text_normalizer import tokens
from providers.streaming.windowed import WindowedProvider
from tests.providers.engines import (
    failed_rules,
    hear,
    in_child,
    session,
    shortest,
    text_of,
    with_pauses,
)

ENGINES = ("whisper_cpp", "faster_whisper")
HIGHEST_WER = 0.15
UTTERANCES = 8


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[WindowedProvider]:
    """A provider with its model loaded, for tests that call the engine directly."""
    provider = make_provider(request.param, {})
    assert isinstance(provider, WindowedProvider)
    provider.load(SessionConfig(model="embedded"))
    yield provider
    provider.unload()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "clock"),
    [("whisper_cpp", ClockKind.VIRTUAL), ("faster_whisper", ClockKind.WALL)],
)
def test_every_rule_of_the_contract_is_kept(name: str, clock: ClockKind) -> None:
    assert failed_rules(name, clock, shortest(3)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_the_text_is_right(name: str) -> None:
    """Of utterances from all over the corpus, in chunks that cut words in two."""
    entries = find_corpus("embedded")
    entries = entries[:: len(entries) // UTTERANCES][:UTTERANCES]

    async def body() -> list[str]:
        async with session(name) as provider:
            return [text_of(await hear(provider, with_pauses(entry), chunk_s=0.9))
                    for entry in entries]  # fmt: skip

    heard = run(body(), ClockKind.VIRTUAL)
    spoken = [" ".join(tokens(entry.text)) for entry in entries]
    assert jiwer.wer(spoken, [" ".join(tokens(text)) for text in heard]) <= HIGHEST_WER


@pytest.mark.parametrize("name", ENGINES)
def test_word_times_are_near_the_truth(name: str) -> None:
    """Within half a second in the middle; an engine's own estimate is no better than that."""
    entry = shortest(1)[0]
    assert entry.words is not None

    async def body() -> list[ASRSegment]:
        async with session(name) as provider:
            return await hear(provider, with_pauses(entry))

    said = [word for segment in run(body(), ClockKind.VIRTUAL) if segment.is_final
            for word in segment.words]  # fmt: skip
    assert [word.text for word in said] == [word.text for word in entry.words]
    late_s = [abs(word.t1 - 1.0 - true.t1) for word, true in zip(said, entry.words, strict=True)]
    assert np.median(late_s) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_two_sources_share_one_model(name: str) -> None:
    first, second = shortest(2)

    async def body() -> tuple[list[ASRSegment], list[ASRSegment]]:
        async with session(name) as provider:
            return await asyncio.gather(
                hear(provider, with_pauses(first), AudioSource.MIC, chunk_s=0.7),
                hear(provider, with_pauses(second), AudioSource.SYSTEM, chunk_s=0.5),
            )

    mic, system = run(body(), ClockKind.VIRTUAL)
    assert tokens(text_of(mic)) == tokens(first.text)
    assert tokens(text_of(system)) == tokens(second.text)


@pytest.mark.parametrize("length", [1, 160, 1599, 8000, 16_000])
def test_a_window_may_be_short(engine: WindowedProvider, length: int) -> None:
    """Engines refuse, or invent words for, less than a second; a window ends where it must."""
    assert len(engine.decode(np.zeros(length, np.float32), is_final=True)) <= 4


def test_samples_arrive_at_their_true_level(engine: WindowedProvider) -> None:
    """Scaled wrongly by 32768, a window would be nothing but clipping, or silence."""
    entry = shortest(1)[0]
    words = engine.decode(to_float(entry.read().tobytes()), is_final=True)
    assert tokens(" ".join(word.text for word in words)) == tokens(entry.text)


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_stopping_waits_for_one_decode_at_most(name: str) -> None:
    """Of the longest window; the session after it hears as before."""
    entry = shortest(1)[0]
    speech = np.concatenate([entry.read()] * 6)[: 8 * SAMPLE_RATE_HZ]

    async def body() -> tuple[float, float, str]:
        observer = RecordingObserver()
        async with session(name, observer=observer) as provider:
            await hear(provider, speech, chunk_s=8.0)
            listening = asyncio.create_task(hear(provider, speech, chunk_s=8.0))
            await asyncio.sleep(0.01)
            begin_s = time.monotonic()
            await provider.stop_session("test")
            stop_s = time.monotonic() - begin_s
            with pytest.raises(ProviderError, match="stopped"):
                await listening
            assert await provider.start_session("test", SessionConfig(model="embedded"))
            longest_s = max(span.end_s - span.begin_s for span in observer.spans)
            return stop_s, longest_s, text_of(await hear(provider, with_pauses(entry)))

    stop_s, longest_s, text = run(body(), ClockKind.WALL)
    assert stop_s < 3 * longest_s + 1
    assert tokens(text) == tokens(entry.text)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", "raise SystemExit"])
@pytest.mark.parametrize("name", ENGINES)
def test_the_interpreter_ends_in_peace(name: str, ending: str) -> None:
    """With a model still loaded, which some ways of logging turn into an abort."""
    child = in_child(
        """
provider = make_provider(arguments[0], {})
await provider.start_session("s", SessionConfig(model="embedded"))
print(text_of(await hear(provider, with_pauses(*shortest(1)))))
"""
        + ending,
        name,
    )
    assert child.returncode == 0, child.stderr[-500:]
    assert tokens(child.stdout) == tokens(shortest(1)[0].text)

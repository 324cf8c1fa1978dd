"""What streaming costs in accuracy: the embedded corpus in chunks, and utterance by utterance.

Limits: at most 3 points more word errors than with each utterance decoded at once, and under 10 %.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import jiwer
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness import clock
from harness.audio import to_float
from harness.clock import ClockKind
from harness.contract import SessionConfig
from harness.provider.registry import find_corpus, make_provider
from harness.text_normalizer import tokens
from providers.streaming.windowed import WindowedProvider
from tests.providers.engines import hear, text_of, with_pauses

MAX_POINTS = 0.03
HIGHEST_WER = 0.10
UTTERANCES_A_STREAM = 12


@pytest.mark.parametrize("chunk_s", [2.0, 0.5])
@pytest.mark.parametrize("name", ["whisper_cpp", "faster_whisper"])
def bench_streaming_accuracy(benchmark: BenchmarkFixture, name: str, chunk_s: float) -> None:
    provider = make_provider(name, {})
    assert isinstance(provider, WindowedProvider)
    corpus = find_corpus("embedded")
    groups = [corpus[at : at + UTTERANCES_A_STREAM]
              for at in range(0, len(corpus), UTTERANCES_A_STREAM)]  # fmt: skip
    spoken = [words(" ".join(entry.text for entry in group)) for group in groups]

    async def streamed() -> list[str]:
        said = [await hear(provider, with_pauses(*group), chunk_s=chunk_s) for group in groups]
        return [words(text_of(segments)) for segments in said]

    async def at_once() -> list[str]:
        return [
            words(
                " ".join(
                    word.text
                    for entry in group
                    for word in provider.decode(to_float(entry.read().tobytes()), is_final=True)
                )
            )
            for group in groups
        ]

    def wer_of(hear_all: Callable[[], Coroutine[Any, Any, list[str]]]) -> float:
        async def body() -> list[str]:
            await provider.start_session("accuracy", SessionConfig(model="embedded"))
            heard = await hear_all()
            await provider.stop_session("accuracy")
            return heard

        return float(jiwer.wer(spoken, clock.run(body(), ClockKind.VIRTUAL)))

    whole = wer_of(at_once)
    streaming = benchmark.pedantic(wer_of, (streamed,), rounds=1)  # type: ignore[no-untyped-call]
    print(f"\n{name}, chunks of {chunk_s:g} s: WER {streaming:.3f}, utterances at once {whole:.3f}")
    benchmark.extra_info |= {"streaming": round(streaming, 4), "at_once": round(whole, 4)}
    assert streaming <= whole + MAX_POINTS
    assert streaming < HIGHEST_WER


def words(text: str) -> str:
    return " ".join(tokens(text))

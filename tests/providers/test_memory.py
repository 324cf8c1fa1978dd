"""A provider's processes take no more memory after half an hour of audio than after three minutes.

On the virtual clock, so the half hour takes seconds; the models are small, so a leak shows.
"""

import gc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from harness.audio import SAMPLE_RATE_HZ, Pcm16, to_pcm16
from harness.clock import ClockKind, run
from harness.meters.resources import ResourceMeter
from harness.provider.registry import make_provider
from tests.providers import parakeet_model, sherpa_model, sphinx_model
from tests.providers.bands import say
from tests.providers.engines import chunks, session, shortest, with_pauses

pytestmark = pytest.mark.slow

MAX_GROWTH_MB = 3.0
"""What the interpreter's own memory comes and goes by."""
MINUTES = 30


def bands(silence_s: float) -> Pcm16:
    return to_pcm16(say(["ah", "bee", "cee", "dee"], after_s=silence_s))


def sentence(silence_s: float) -> Pcm16:
    silence = np.zeros(round(silence_s * SAMPLE_RATE_HZ), np.int16)
    return np.concatenate([with_pauses(shortest(1)[0]), silence])


def memory_mb() -> float:
    gc.collect()
    return ResourceMeter().read().rss_bytes / 1e6


@pytest.mark.parametrize(
    ("name", "write_model", "piece"),
    [("sherpa_onnx", sherpa_model.write_model, bands(4.0)),
     ("parakeet", parakeet_model.write_model, bands(20.0)),
     ("pocketsphinx", sphinx_model.write_model, sentence(120.0))],
    ids=["sherpa_onnx", "parakeet", "pocketsphinx"],
)  # fmt: skip
def test_memory_stays_flat(
    name: str, write_model: Callable[[Path], Path], piece: Pcm16, tmp_path: Path
) -> None:
    """And each of the many utterances in it gets its final."""
    if (missing := make_provider(name, {}).requires[0].missing()) is not None:
        pytest.skip(f"lacks {missing}, which has no wheel for this Python")
    count = round(MINUTES * 60 * SAMPLE_RATE_HZ / len(piece))
    used_mb: dict[int, float] = {}

    async def audio() -> AsyncIterator[bytes]:
        for turn in range(count):
            async for chunk in chunks(piece, 2.0):
                yield chunk
            if turn in (count // 10, count - 1):
                used_mb[turn] = memory_mb()

    async def body() -> int:
        async with session(name, str(write_model(tmp_path / "model"))) as provider:
            stream = provider.transcribe_stream(audio())
            return sum([segment.is_final async for segment in stream])

    assert run(body(), ClockKind.VIRTUAL) == count
    early_mb, late_mb = used_mb.values()
    assert late_mb - early_mb < MAX_GROWTH_MB

"""What a provider adds to its vendor's SDK: from handing over audio to having its text.

Limit: 5 ms a message. A loopback service, in a process of its own, answers each piece of audio with
a word at once; the same pieces go through the provider and through the SDK alone, in turn.
"""

import asyncio
import base64
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import numpy as np
import pytest
from mistralai.client import Mistral
from mistralai.client.models import AudioFormat
from openai import AsyncOpenAI
from openai.types.realtime import RealtimeTranscriptionSessionCreateRequestParam
from pytest_benchmark.fixture import BenchmarkFixture

from harness.audio import SAMPLE_RATE_HZ, to_pcm16
from harness.clock import ClockKind, run
from harness.contract import SessionConfig
from harness.provider.registry import make_provider
from providers.services.resampling import Resampler
from tests.vendors.lanes import KEY

MESSAGES = 40
PAIRS = 7
LIMIT_S = 0.005
TONE_S, PIECE_S = 0.16, 0.24
PATIENCE_S = 10.0


def piece(number: int) -> bytes:
    """A word that is a tone, and the silence that ends it."""
    times_s = np.arange(round(TONE_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * (300 + 10 * number) * times_s) * np.hanning(len(times_s))
    silence = np.zeros(round((PIECE_S - TONE_S) * SAMPLE_RATE_HZ))
    return to_pcm16(np.concatenate([tone, silence])).tobytes()


PIECES = [piece(number) for number in range(MESSAGES)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a sound service is."""
    command = [sys.executable, "-m", "tests.vendors.loopback"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdin is not None
        assert it.stdout is not None
        yield f"http://127.0.0.1:{int(it.stdout.readline())}/sound"
        it.stdin.close()


async def through_provider(name: str, url: str) -> list[float]:
    """Seconds from each piece to its text, through a provider."""
    provider = make_provider(name, {"base_url": url})
    assert await provider.start_session("bench", SessionConfig(model=provider.default_model))
    answered = asyncio.Event()
    begun_s, taken_s = 0.0, []

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal begun_s
        for pcm in PIECES:
            answered.clear()
            begun_s = time.perf_counter()
            yield pcm
            async with asyncio.timeout(PATIENCE_S):
                await answered.wait()

    async for segment in provider.transcribe_stream(pieces()):
        if not segment.is_final:
            taken_s.append(time.perf_counter() - begun_s)
            answered.set()
    await provider.stop_session("bench")
    await provider.close()
    return taken_s


async def openai_alone(url: str) -> list[float]:
    """The same through OpenAI's SDK."""
    session: RealtimeTranscriptionSessionCreateRequestParam = {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": {"model": "gpt-live-transcribe", "languages": ["en"]},
                "turn_detection": None,
            }
        },
    }
    resampler, taken_s = Resampler(24_000, 0), []
    client = AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0)
    connecting = client.realtime.connect(extra_query={"intent": "transcription"})
    async with client, connecting as connection:
        await connection.session.update(session=session)
        while (await connection.recv()).type != "session.updated":
            pass
        for pcm in PIECES:
            begun_s = time.perf_counter()
            sent = base64.b64encode(resampler.piece(pcm)).decode()
            await connection.input_audio_buffer.append(audio=sent)
            while not (await connection.recv()).type.endswith(".delta"):
                pass
            taken_s.append(time.perf_counter() - begun_s)
    return taken_s


async def mistral_alone(url: str) -> list[float]:
    """The same through Mistral's SDK."""
    taken_s = []
    async with Mistral(api_key=KEY, server_url=url) as client:
        connection = await client.audio.realtime.connect(
            "voxtral-mini-transcribe-realtime-3",
            AudioFormat(encoding="pcm_s16le", sample_rate=SAMPLE_RATE_HZ),
        )
        async with connection:
            events = connection.events()
            for pcm in PIECES:
                begun_s = time.perf_counter()
                await connection.send_audio(pcm)
                async for event in events:
                    if event.type == "transcription.text.delta":
                        break
                taken_s.append(time.perf_counter() - begun_s)
    return taken_s


@pytest.mark.parametrize(
    ("name", "path", "alone"),
    [("openai_api", "openai/v1", openai_alone), ("voxtral_api", "mistral", mistral_alone)],
    ids=["openai_api", "voxtral_api"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def bench_service_overhead(
    benchmark: BenchmarkFixture,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    path: str,
    alone: Callable[[str], Awaitable[list[float]]],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    url = f"{address}/{path}"
    pairs_s: list[tuple[float, float]] = []

    async def median_s(taking: Awaitable[list[float]]) -> float:
        taken_s = await taking
        assert len(taken_s) == MESSAGES
        return statistics.median(taken_s)

    def one_pair() -> None:
        ours_s = run(median_s(through_provider(name, url)), ClockKind.WALL)
        theirs_s = run(median_s(alone(url)), ClockKind.WALL)
        pairs_s.append((ours_s, theirs_s))

    benchmark.pedantic(one_pair, rounds=PAIRS, warmup_rounds=1)  # type: ignore[no-untyped-call]
    added_s = statistics.median(ours_s - theirs_s for ours_s, theirs_s in pairs_s[1:])
    theirs_s = statistics.median(theirs_s for _, theirs_s in pairs_s[1:])
    benchmark.extra_info["added_ms_per_message"] = round(1000 * added_s, 3)
    print(
        f"\n{name}: {1000 * added_s:.2f} ms a message more than the SDK alone "
        f"({1000 * theirs_s:.2f} ms), limit {1000 * LIMIT_S:.0f}"
    )
    assert added_s < LIMIT_S, pairs_s

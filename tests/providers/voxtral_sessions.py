"""Sessions of `voxtral_realtime` on its stand-in, and audio with words that it hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import psutil

from harness.audio import SAMPLE_RATE_HZ, Pcm16, Samples, to_pcm16
from harness.contract import NULL_OBSERVER, ASRProvider, Observer, Option, SessionConfig
from harness.provider.registry import make_provider
from providers.voxtral_realtime import MODEL
from tests.faults.processes import remaining
from tests.providers.signals import samples_of, tone
from tests.stand_ins.voxtral_engine import Ear

WORD_S, GAP_S = 0.3, 0.2
PITCHES_HZ = (260.0, 450.0, 700.0, 1000.0, 1500.0, 2100.0)
CONFIG = SessionConfig(model=MODEL)


@asynccontextmanager
async def session(
    program: Path, model: Path, *, observer: Observer = NULL_OBSERVER, **options: Option
) -> AsyncIterator[ASRProvider]:
    """A provider in a session, closed at the end; nothing of it is left."""
    place: dict[str, Option] = {"binary": str(program), "folder": str(model), "answer_s": 5.0}
    provider = make_provider("voxtral_realtime", {**place, **options})
    before = set(psutil.Process().children(recursive=True))
    try:
        config = msgspec.structs.replace(CONFIG, observer=observer)
        assert await provider.start_session("test", config)
        yield provider
        await provider.stop_session("test")
    finally:
        await provider.close()
        started = set(psutil.Process().children(recursive=True)) - before
        assert remaining(process.pid for process in started) == []


def spoken(count: int, pitch: int = 0, end_s: float = 1.0) -> Samples:
    """Words of rising pitch, with silence before and after."""
    gap = np.zeros(samples_of(GAP_S), np.float32)
    before, after = (np.zeros(samples_of(length_s), np.float32) for length_s in (0.7, end_s))
    pitches_hz = [PITCHES_HZ[(pitch + number) % 6] for number in range(count)]
    words = [part for hz in pitches_hz for part in (tone(samples_of(WORD_S), hz), gap)]
    return np.concatenate([before, *words, after])


def pcm(*parts: Samples) -> Pcm16:
    return to_pcm16(np.concatenate(parts))


def meant(samples: Samples) -> str:
    """What the stand-in hears in audio, whatever the provider does."""
    ear = Ear()
    said: list[str] = []
    whole = to_pcm16(np.concatenate([samples, np.zeros(SAMPLE_RATE_HZ, np.float32)])).tobytes()
    for at in range(0, len(whole), 2560):
        said += ear.hear(whole[at : at + 2560])
    return " ".join("".join(said).split())

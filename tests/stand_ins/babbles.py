"""Says what the contract has no form for, or floods every channel that it can reach."""

import asyncio
import contextlib
import math
import os
import subprocess
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np

from harness.contract import ASRHealth, ASRSegment, AudioSource, Word
from harness.provider.resident import Session
from tests.stand_ins.moments import FaultyProvider, MomentSettings

FLOOD_BYTES = 50_000_000
WRONG: dict[str, dict[str, Any]] = {
    "nan_time": {"t0": math.nan},
    "infinite_time": {"t1": math.inf},
    "negative_time": {"t0": -0.5},
    "backwards": {"t0": 2.0, "t1": 1.0},
    "numpy_time": {"t1": np.float32(1.5)},
    "bytes_text": {"text": b"hello"},
    "no_text": {"text": None},
    "surrogate_text": {"text": "half \ud800"},
    "huge_text": {"text": "y" * 10_000_000},
    "word_strings": {"words": ("hello",)},
    "no_words": {"words": None},
    "backward_word": {"words": (Word("hello", 3.0, 1.0),)},
    "other_source": {"source": AudioSource.SYSTEM},
    "text_id": {"segment_id": "first"},
}
WRONG_HEALTH: dict[str, dict[str, Any]] = {
    "odd_health": {"last_error": object()},
    "surrogate_health": {"last_error": "\ud800"},
    "huge_health": {"last_error": "x" * 5_000_000},
}


class BabblesSettings(MomentSettings, frozen=True, kw_only=True):
    what: str = "nan_time"
    """A key of `WRONG` or `WRONG_HEALTH`, or one of the words below."""


class Babbles(FaultyProvider):
    name = "babbles"
    Settings = BabblesSettings
    settings: BabblesSettings

    def fail(self) -> None:
        match self.settings.what:
            case "stdout" | "stderr":
                descriptor = 1 if self.settings.what == "stdout" else 2
                for _ in range(FLOOD_BYTES // 100_000):
                    os.write(descriptor, b'{"kind":"chunk_done"}\n' * 5_000)
            case "closes_files":
                os.closerange(3, 100)
                time.sleep(100_000)
            case "reads_stdin":
                self._child = subprocess.Popen(["cat"], stdout=subprocess.DEVNULL)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.wait(0.5)

    async def health(self) -> ASRHealth:
        health = await super().health()
        wrong = WRONG_HEALTH.get(self.settings.what) if self._trial else None
        return msgspec.structs.replace(health, **wrong) if wrong else health

    async def heard(
        self, session: Session, source: AudioSource | None, chunk: int
    ) -> AsyncIterator[ASRSegment]:
        sound = ASRSegment(
            source=source, segment_id=chunk, revision=0, is_final=True, text="hello", t0=1.0, t1=1.0
        )
        async for segment in super().heard(session, source, chunk):
            yield segment
        now = self.settings.at == ("stream" if self._trial else "probe")
        if not now or (self._trial and chunk != self.settings.chunk):
            return
        what = self.settings.what
        if what in WRONG:
            yield msgspec.structs.replace(sound, **WRONG[what])
        elif what == "not_a_segment":
            yield {"text": "hello"}  # type: ignore[misc]
        elif what == "controls":
            yield msgspec.structs.replace(sound, text="\x1b[2J\x00\r\n\u202eolleh\x07")
        while what in ("endless", "slow_endless"):
            if what == "slow_endless":
                await asyncio.sleep(0.5)
            yield sound

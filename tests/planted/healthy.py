"""A sound provider with a known cost, on which every defect is planted: it hears tones.

Its engine is real (it reads words off the audio), its time is made: each inference takes what the
settings say, on the trial's clock, with a little scatter. So trials of hours take seconds, and the
cost is known exactly.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from harness.clock import now_s
from harness.contract import AudioSource, InferenceSpan, ProviderSettings, SessionConfig
from harness.provider.resident import Session
from providers.streaming.segmenter import Limits
from tests.providers.tones import ToneEngine

T = TypeVar("T")


class HealthySettings(ProviderSettings, frozen=True, kw_only=True):
    fixed_s: float = 0.02
    """What a decode costs however short its window."""
    per_s: float = 0.02
    """What each second of its window costs."""
    scatter: float = 0.08
    """Standard deviation of a decode's cost, relative."""
    load_s: float = 0.2
    warm_up_s: float = 0.0
    """What the load does before it says that it is ready, besides."""
    seed: int = 1


class Healthy(ToneEngine):
    name = "healthy"
    Settings = HealthySettings
    settings: HealthySettings
    limits = Limits(longest_s=4.0)
    model: Path | None = None

    def load(self, config: SessionConfig) -> None:
        begin_s = time.monotonic()
        time.sleep(self.settings.load_s + self.settings.warm_up_s)
        path = Path(config.model)
        self.model = path if path.is_file() else None
        if self.model is not None:
            self.model.read_bytes()
        self._generator = np.random.default_rng(self.settings.seed)
        self._turn = asyncio.Lock()
        self.decodes = 0
        self.load_took_s = time.monotonic() - begin_s

    def locate_model(self, model: str) -> Path | None:
        return Path(model) if Path(model).is_file() else None

    def cost_s(self, window_s: float) -> float:
        """What the next decode takes."""
        settings = self.settings
        scatter = 1 + settings.scatter * float(self._generator.standard_normal())
        return (settings.fixed_s + settings.per_s * window_s) * max(0.5, scatter)

    def claimed_s(self, took_s: float) -> float:
        """What the provider says that a decode took."""
        return took_s

    async def infer(
        self,
        session: Session,
        source: AudioSource | None,
        window_s: float,
        call: Callable[[], T],
        thread: object = None,
    ) -> T:
        self.decodes += 1
        session.waiting += 1
        async with self._turn:
            begin_s = now_s()
            await asyncio.sleep(self.cost_s(window_s))
            found = call()
            took_s = self.claimed_s(now_s() - begin_s)
        session.waiting -= 1
        self.inferred(session, InferenceSpan(source, begin_s, begin_s + took_s, window_s))
        return found

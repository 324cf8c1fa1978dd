"""The rules about a second source catch whoever breaks them, and nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from harness.activities.conformance.rig import RULES, SESSION, BrokenRuleError, ContractRig
from harness.clock import ClockKind, run
from harness.contract import ASRSegment, AudioSource, SessionConfig, Sharing
from harness.provider.resident import Session
from tests.providers.tone_streams import ToneFeed
from tests.providers.tones import Engine, ToneEngine, entry

SERVED = "the_second_source_is_served_as_declared"
ALIKE = "sources_come_along_alike"
WAITING = "a_source_that_waits_holds_up_none"
SPEECH = [entry(*words).read() for words in (("ah", "bee"), ("cee", "dee", "ee"), ("bee", "bee"))]


class OneAfterTheOther(ToneEngine):
    """Serves a source to its end before the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = asyncio.Lock()

    async def transcribe_stream(
        self, pcm_stream: AsyncIterator[bytes], sample_rate: int = 16_000,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:  # fmt: skip
        async with self._whole:
            async for segment in super().transcribe_stream(pcm_stream, sample_rate, source):
                yield segment


class PrefersTheMicrophone(ToneEngine):
    """Lets the other source wait while the microphone streams."""

    async def infer(
        self, session: Session, source: AudioSource | None, window_s: float, call: Callable[[], Any]
    ) -> Any:
        while source is AudioSource.SYSTEM and AudioSource.MIC in session.streaming:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return await super().infer(session, source, window_s, call)


class Apart(ToneEngine):
    """Has a thread for each call, and no turns."""

    async def infer(
        self, session: Session, source: AudioSource | None, window_s: float, call: Callable[[], Any]
    ) -> Any:
        def slow() -> Any:
            time.sleep(0.005)
            return call()

        return await self.infer_outside(session, source, window_s, asyncio.to_thread(slow))


class SaysApart(Apart):
    sharing = Sharing.COPIES


class SaysApartAndIsNot(ToneEngine):
    sharing = Sharing.COPIES


@pytest.mark.parametrize(
    ("engine", "broken"),
    [(ToneEngine, set()), (ToneFeed, set()), (SaysApart, set()),
     (OneAfterTheOther, {ALIKE, WAITING}), (PrefersTheMicrophone, {ALIKE, WAITING}),
     (Apart, {SERVED}), (SaysApartAndIsNot, {SERVED})],
)  # fmt: skip
def test_exactly_the_broken_rules_are_told(engine: type[Engine], broken: set[str]) -> None:
    told = set()

    async def body() -> None:
        provider = engine()
        for name in (SERVED, ALIKE, WAITING):
            rig = ContractRig(provider, SessionConfig(model="tones"), SPEECH)
            await rig.start()
            try:
                await RULES[name](rig)
            except BrokenRuleError:
                told.add(name)
            await provider.stop_session(SESSION)
        await provider.close()

    run(body(), ClockKind.VIRTUAL)
    assert told == broken

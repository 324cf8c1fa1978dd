"""A provider slowed down on purpose, and broken down at a given time."""

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec

from harness.audio import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from harness.clock import now_s
from harness.contract import (
    NULL_OBSERVER,
    ASRHealth,
    ASRProvider,
    ASRSegment,
    AudioSource,
    InferenceSpan,
    Interruption,
    Observer,
    SessionConfig,
)
from harness.errors import ProviderError


class WorkMeter(Observer):
    """Adds up a provider's inference time by source, and passes its reports on."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.spent_s: dict[AudioSource | None, float] = {}

    def inferred(self, span: InferenceSpan) -> None:
        """See `Observer`."""
        self.spent_s[span.source] = self.spent_s.get(span.source, 0.0) + span.end_s - span.begin_s
        self.observer.inferred(span)

    def interrupted(self, interruption: Interruption) -> None:
        """See `Observer`."""
        self.observer.interrupted(interruption)


class Slowed(ASRProvider):
    """Slows a provider down to a real-time factor by a wait after each chunk.

    The wait is reported as inference. It uses no processor, so it takes no real time on the virtual
    clock.

    Args:
        provider: The provider to slow down.
        load: The real-time factor to reach, by session time; without effect below its own.
        longest_s: Longest chunk that is charged in full: on a takeover, the replayed audio comes as
            one long chunk.
        fails: Whether it breaks down, by session time.
    """

    name = "slowed"  # a class needs a name; each instance has its provider's

    def __init__(
        self,
        provider: ASRProvider,
        load: Callable[[float], float],
        longest_s: float,
        fails: Callable[[float], bool] = lambda at_s: False,
    ) -> None:
        super().__init__()
        self.name = provider.name  # type: ignore[misc]
        self._provider, self._load, self._fails = provider, load, fails
        self._longest_s = longest_s
        self._origin_s = 0.0
        self._work = WorkMeter(NULL_OBSERVER)

    async def start_session(self, session_id: str, config: SessionConfig) -> bool:
        """See `ASRProvider`."""
        self._work = WorkMeter(config.observer)
        config = msgspec.structs.replace(config, observer=self._work)
        return await self._provider.start_session(session_id, config)

    def begin(self, origin_s: float) -> None:
        """Set the session's zero on the running clock."""
        self._origin_s = origin_s

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        """See `ASRProvider`."""
        slow = self._slowed(pcm_stream, source)
        async for segment in self._provider.transcribe_stream(slow, sample_rate, source):
            yield segment

    async def flush(self, source: AudioSource | None = None) -> list[ASRSegment]:
        """See `ASRProvider`."""
        return await self._provider.flush(source)

    async def health(self) -> ASRHealth:
        """See `ASRProvider`; of the provider itself, without the waits."""
        return await self._provider.health()

    async def stop_session(self, session_id: str) -> None:
        """See `ASRProvider`."""
        await self._provider.stop_session(session_id)

    async def close(self) -> None:
        """See `ASRProvider`."""
        await self._provider.close()

    async def _slowed(
        self, pcm_stream: AsyncIterator[bytes], source: AudioSource | None
    ) -> AsyncIterator[bytes]:
        async for pcm in pcm_stream:
            if self._fails(now_s() - self._origin_s):
                raise ProviderError(self._provider.name, "broken down on purpose, by the exercise")
            audio_s = len(pcm) // BYTES_PER_SAMPLE / SAMPLE_RATE_HZ
            yield pcm
            begin_s = now_s()
            wanted_s = self._load(begin_s - self._origin_s) * min(audio_s, self._longest_s)
            wait_s = wanted_s - self._work.spent_s.pop(source, 0.0)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                self._work.observer.inferred(InferenceSpan(source, begin_s, now_s(), audio_s))

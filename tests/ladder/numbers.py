"""A provider that says which numbers it heard, so that none can be lost or said twice unnoticed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import numpy as np

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s
from harness.contract import ASRSegment, AudioSource, InferenceSpan
from harness.errors import ProviderError
from harness.provider.resident import Session
from harness.timeline.timeline import Track
from tests.stand_ins.null import Null

STEP_S = 0.5
"""Each number is heard for so long."""
STEP = round(STEP_S * SAMPLE_RATE_HZ)


def counting(
    seconds: float, source: AudioSource = AudioSource.MIC, first: int = 1, start_s: float = 0.0
) -> Track:
    """Audio that holds 1, 2, 3, … for half a second each."""
    numbers = np.arange(first, first + round(seconds / STEP_S), dtype=np.int16)
    return Track(source, start_s, np.repeat(numbers, STEP), ())


class Numbers(Null):
    """Says the numbers so far after each chunk, and finally so many at a time.

    Args:
        finals_of: How many numbers make a final.
        cost: Seconds per second of audio, or what gives them for a time; waited, not computed.
        fails_at: The number on hearing which it breaks down.
        hangs_at: The number on hearing which it stops for ever.
    """

    name = "numbers"

    def __init__(
        self, finals_of: int = 4, cost: float = 0.1, fails_at: int = 0, hangs_at: int = 0
    ) -> None:
        super().__init__()
        self.finals_of, self.cost = finals_of, cost
        self.fails_at, self.hangs_at = fails_at, hangs_at
        self.sessions = 0

    async def start_session(self, session_id: str, config: object) -> bool:
        self.sessions += 1
        self._ids: Counter[AudioSource | None] = Counter()
        return await super().start_session(session_id, config)  # type: ignore[arg-type]

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        session = self.open_stream(source, sample_rate)
        account = session.audio[source]
        lengths: dict[int, int] = {}  # samples of each number that wasn't final yet
        at, begin, revision = account.received, account.received, 0
        try:
            async for pcm in pcm_stream:
                samples = np.frombuffer(pcm, "<i2")
                account.received += len(samples)
                await self._work(session, len(samples) / SAMPLE_RATE_HZ, source)
                self.check_running(session, source)
                for number, count in zip(*np.unique(samples, return_counts=True), strict=True):
                    lengths[int(number)] = lengths.get(int(number), 0) + int(count)
                if self.fails_at and self.fails_at in lengths:
                    raise ProviderError(self.name, f"broke down at {self.fails_at}")
                if self.hangs_at and self.hangs_at in lengths:
                    await asyncio.Event().wait()
                account.decoded += len(samples)
                while len(whole := [n for n in lengths if lengths[n] == STEP]) >= self.finals_of:
                    said = whole[: self.finals_of]
                    at += sum(lengths.pop(number) for number in said)
                    yield self._say(source, said, revision, (begin, at), is_final=True)
                    begin, revision = at, 0
                if lengths:
                    yield self._say(source, list(lengths), revision, (begin, account.received))
                    revision += 1
            if lengths:
                span = begin, account.received
                yield self._say(source, list(lengths), revision, span, is_final=True)
        finally:
            account.dropped += account.pending
            self._ids[source] += 1
            session.streaming.discard(source)

    async def _work(self, session: Session, audio_s: float, source: AudioSource | None) -> None:
        if self.cost:
            begin_s = now_s()
            await asyncio.sleep(self.cost * audio_s)
            session.config.observer.inferred(InferenceSpan(source, begin_s, now_s(), audio_s))

    def _say(
        self,
        source: AudioSource | None,
        numbers: list[int],
        revision: int,
        span: tuple[int, int],
        *,
        is_final: bool = False,
    ) -> ASRSegment:
        segment = ASRSegment(
            source=source,
            segment_id=self._ids[source],
            revision=revision,
            is_final=is_final,
            text=" ".join(map(str, numbers)),
            t0=span[0] / SAMPLE_RATE_HZ,
            t1=span[1] / SAMPLE_RATE_HZ,
        )
        self._ids[source] += is_final
        return segment

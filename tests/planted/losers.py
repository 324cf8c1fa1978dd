"""Providers that lose, cut or delay: defects 10 to 14, 18 to 20, 23 and 25."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from harness.audio import SAMPLE_RATE_HZ
from harness.clock import now_s, sleep_until
from harness.contract import ASRSegment, AudioSource, Word
from tests.planted.healthy import Healthy


class Listens(Healthy):
    """Base of those that change what goes in or what comes out."""

    name = "listens"

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        stream = super().transcribe_stream(self.given(pcm_stream, source), sample_rate, source)
        async with aclosing(stream):  # type: ignore[type-var]
            async for segment in stream:
                for changed in self.said(segment):
                    yield changed

    async def given(
        self, pcm_stream: AsyncIterator[bytes], source: AudioSource | None
    ) -> AsyncIterator[bytes]:
        async for pcm in pcm_stream:
            yield pcm

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        return [segment]

    def count_as_decoded(self, source: AudioSource | None, pcm: bytes) -> None:
        assert self._session is not None
        account = self._session.audio[source]
        account.received += len(pcm) // 2
        account.decoded += len(pcm) // 2


class DropsAFew(Listens):
    """10: drops every fiftieth chunk and says nothing."""

    name = "drops_a_few"

    async def given(
        self, pcm_stream: AsyncIterator[bytes], source: AudioSource | None
    ) -> AsyncIterator[bytes]:
        number = 0
        async for pcm in pcm_stream:
            number += 1
            yield bytes(len(pcm)) if number % 50 == 0 else pcm  # silence of the same length


class Discards(Listens):
    """11: says that it has decoded every other chunk, and never looked at it."""

    name = "discards"

    async def given(
        self, pcm_stream: AsyncIterator[bytes], source: AudioSource | None
    ) -> AsyncIterator[bytes]:
        number = 0
        async for pcm in pcm_stream:
            number += 1
            if number % 2:
                yield pcm
            else:
                self.count_as_decoded(source, pcm)


class Stalls(Healthy):
    """12: stands still for 3 s once in a hundred chunks or so."""

    name = "stalls"

    def cost_s(self, window_s: float) -> float:
        return super().cost_s(window_s) + (3.0 if self.decodes % 100 == 0 else 0.0)


def moved(segment: ASRSegment, rate: float, offset_s: float) -> ASRSegment:
    """The segment with all its times stretched and moved."""
    words = tuple(Word(word.text, word.t0 * rate + offset_s, word.t1 * rate + offset_s)
                  for word in segment.words)  # fmt: skip
    t0, t1 = segment.t0 * rate + offset_s, segment.t1 * rate + offset_s
    return msgspec.structs.replace(segment, t0=t0, t1=t1, words=words)


class Drifts(Listens):
    """13: times of the system's audio run 100 ppm fast."""

    name = "drifts"

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        is_fast = segment.source is AudioSource.SYSTEM
        return [moved(segment, 1 + 100e-6 if is_fast else 1.0, 0.0)]


class IsOff(Listens):
    """14: all times are 250 ms late."""

    name = "is_off"

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        return [moved(segment, 1.0, 0.25)]


class SaysNothing(Listens):
    """18: is very fast, and says nothing."""

    name = "says_nothing"

    def cost_s(self, window_s: float) -> float:
        return 0.0001

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        return [msgspec.structs.replace(segment, text="", words=())] if segment.is_final else []


class Flickers(Listens):
    """19: rewrites all of a partial again and again."""

    name = "flickers"

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        if segment.is_final:
            return [msgspec.structs.replace(segment, revision=6 * segment.revision)]
        text = " ".join("hm" for _ in segment.text.split())
        return [
            msgspec.structs.replace(
                segment,
                revision=6 * segment.revision + again,
                text=segment.text if again % 2 else text,
                stable_words=0,
            )
            for again in range(6)
        ]


class Withholds(Listens):
    """20: keeps everything to itself for 2 s."""

    name = "withholds"

    async def transcribe_stream(
        self,
        pcm_stream: AsyncIterator[bytes],
        sample_rate: int = SAMPLE_RATE_HZ,
        source: AudioSource | None = None,
    ) -> AsyncIterator[ASRSegment]:
        held: asyncio.Queue[tuple[float, ASRSegment] | None] = asyncio.Queue()

        async def listen() -> None:
            async for segment in Healthy.transcribe_stream(self, pcm_stream, sample_rate, source):
                held.put_nowait((now_s() + 2.0, segment))
            held.put_nowait(None)

        listening = asyncio.create_task(listen())
        try:
            while (next_ := await held.get()) is not None:
                at_s, segment = next_
                await sleep_until(at_s)
                yield segment
            await listening
        finally:
            listening.cancel()


class Repeats(Listens):
    """23: says each final again, with a number that has been."""

    name = "repeats"

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        return [segment, segment] if segment.is_final else [segment]


class LeavesOutTheLast(Listens):
    """25: leaves the last word out of each final."""

    name = "leaves_out_the_last"

    def said(self, segment: ASRSegment) -> list[ASRSegment]:
        if not segment.is_final:
            return [segment]
        text = " ".join(segment.text.split()[:-1])
        return [msgspec.structs.replace(segment, text=text, words=segment.words[:-1])]

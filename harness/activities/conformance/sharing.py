"""Rules about a second source: it is served as declared, and no source starves another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np

from harness.activities.conformance.rig import (
    MIC,
    SYSTEM,
    ContractRig,
    chunks,
    require,
    rule,
    text_of,
)
from harness.contract import ASRSegment, AudioSource, Sharing

TIMEOUT_S = 60.0
SHORT_S = 0.5
FAIR_SHARE = 0.5
"""Least share of one source's progress that the other must have made."""


@rule
async def the_second_source_is_served_as_declared(rig: ContractRig) -> None:
    pcm = rig.speech[0]
    await asyncio.gather(*(rig.listen(pcm, source, [SHORT_S]) for source in (MIC, SYSTEM)))
    spans = sorted(rig.observer.spans, key=lambda span: span.begin_s)
    at_once = [
        (before, after) for before, after in pairwise(spans)
        if before.source is not after.source and after.begin_s < before.end_s
    ]  # fmt: skip
    match rig.provider.sharing:
        case Sharing.TURNS:
            require(not at_once, f"declares that sources take turns, and ran {at_once[:1]} at once")
        case Sharing.COPIES:
            require(bool(at_once), "declares a model per source, and never ran two at once")


@rule
async def sources_come_along_alike(rig: ContractRig) -> None:
    pcm = np.concatenate(rig.speech[:2])
    done: Counter[AudioSource] = Counter()
    shares: list[float] = []

    async def counted(source: AudioSource) -> AsyncIterator[bytes]:
        async for chunk in chunks(pcm, [SHORT_S]):
            yield chunk
            done[source] += len(chunk)
        shares.append(min(done.values()) / max(done.values()) if len(done) > 1 else 0.0)

    async def listen(source: AudioSource) -> None:
        async for _ in rig.provider.transcribe_stream(counted(source), source=source):
            pass

    await asyncio.gather(listen(MIC), listen(SYSTEM))
    if rig.provider.sharing is Sharing.TURNS:  # else the system's scheduler decides
        problem = f"when one source was done, the other had {shares[0]:.0%} of that audio"
        require(shares[0] >= FAIR_SHARE, problem)


@rule
async def a_source_that_waits_holds_up_none(rig: ContractRig) -> None:
    first, second = rig.speech[0], rig.speech[1]
    alone = text_of(await rig.listen(first, MIC)), text_of(await rig.listen(second, SYSTEM))
    await rig.restart()
    waits, resume = asyncio.Event(), asyncio.Event()

    async def interrupted() -> AsyncIterator[bytes]:
        at = 0
        async for chunk in chunks(first, [1.0]):
            yield chunk
            at += len(chunk) // 2
            if at >= len(first) // 2:
                waits.set()
                await resume.wait()

    async def listen() -> list[ASRSegment]:
        stream = rig.provider.transcribe_stream(interrupted(), source=MIC)
        return [segment async for segment in stream]

    waiting = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await waits.wait()
            segments = await rig.listen(second, SYSTEM)
        require(
            text_of(segments) == alone[1],
            f"{alone[1]!r}, and beside a waiting source {text_of(segments)!r}",
        )
        resume.set()
        text = text_of(await waiting)
        require(text == alone[0], f"{alone[0]!r}, and after a wait {text!r}")
    except TimeoutError:
        require(False, f"a source that waited for audio held up the other for {TIMEOUT_S:g} s")
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

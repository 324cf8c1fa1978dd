"""Rules about a stream: its segments, their order, and the account of its audio."""

from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np

from harness.activities.conformance.rig import (
    MIC,
    ContractRig,
    chunks,
    finals,
    require,
    rule,
    text_of,
)
from harness.audio import SAMPLE_RATE_HZ
from harness.contract import ASRSegment

HEALTH_TOLERANCE = 0.1


@rule
async def partials_come_before_finals(rig: ContractRig) -> None:
    segments = await rig.listen(np.concatenate(rig.speech))
    require(bool(finals(segments)), "no final at all")
    require(not all(segment.is_final for segment in segments), "no partial at all")
    done: set[int] = set()
    for segment in segments:
        require(
            segment.segment_id not in done,
            f"segment {segment.segment_id} was revised after its final",
        )
        if segment.is_final:
            done.add(segment.segment_id)
    unfinished = {segment.segment_id for segment in segments} - done
    require(not unfinished, f"segments {sorted(unfinished)} never got a final")


@rule
async def finals_follow_one_another(rig: ContractRig) -> None:
    pcm = np.concatenate(rig.speech)
    segments = finals(await rig.listen(pcm))
    for before, after in pairwise(segments):
        require(before.t1 <= after.t0, f"{before.t0}-{before.t1} s, then {after.t0}-{after.t1} s")
    last_s = max((segment.t1 for segment in segments), default=0.0)
    require(last_s <= len(pcm) / SAMPLE_RATE_HZ, f"a final ends at {last_s} s, after the audio")


@rule
async def audio_is_conserved(rig: ContractRig) -> None:
    pcm = np.concatenate(rig.speech)
    given = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal given
        async for chunk in chunks(pcm, [0.7]):
            yield chunk
            given += len(chunk) // 2
            account = (await rig.provider.health()).audio[MIC]
            require(
                account.received == given, f"{given} samples given, {account.received} received"
            )
            require(account.pending >= 0, f"more accounted for than received: {account}")

    async for _ in rig.provider.transcribe_stream(counted(), source=MIC):
        pass
    account = (await rig.provider.health()).audio[MIC]
    require(account.received == len(pcm), f"{len(pcm)} samples given, {account.received} received")
    require(account.pending == 0, f"{account.pending} samples neither decoded nor skipped")


@rule
async def flush_returns_the_rest(rig: ContractRig) -> None:
    first, second = rig.speech[0][:-SAMPLE_RATE_HZ], rig.speech[1]
    flushed: list[ASRSegment] = []

    async def with_flush() -> AsyncIterator[bytes]:
        async for chunk in chunks(first, [0.5]):
            yield chunk
        flushed.extend(await rig.provider.flush(MIC))
        async for chunk in chunks(second, [0.5]):
            yield chunk

    segments = [s async for s in rig.provider.transcribe_stream(with_flush(), source=MIC)]
    require(bool(flushed) and all(s.is_final for s in flushed), f"flush gave {flushed}")
    again = {s.segment_id for s in flushed} & {s.segment_id for s in finals(segments)}
    require(not again, f"segments {sorted(again)} were flushed and came again")
    require(bool(finals(segments)), "nothing was recognised after the flush")


@rule
async def chunk_size_may_change(rig: ContractRig) -> None:
    pcm = np.concatenate(rig.speech)
    segments = await rig.listen(pcm, chunk_s=(0.3, 2.0, 0.05, 1.1))
    require(bool(finals(segments)), "no final")
    account = (await rig.provider.health()).audio[MIC]
    require(account.received == len(pcm) and account.pending == 0, f"account {account}")


@rule
async def silence_says_nothing(rig: ContractRig) -> None:
    segments = await rig.listen(np.zeros(5 * SAMPLE_RATE_HZ, np.int16))
    require(not text_of(segments).strip(), f"silence gave {text_of(segments)!r}")


@rule
async def an_empty_stream_is_fine(rig: ContractRig) -> None:
    segments = await rig.listen(np.zeros(0, np.int16))
    require(not segments, f"no audio gave {text_of(segments)!r}")


@rule
async def health_tells_the_truth(rig: ContractRig) -> None:
    pcm = np.concatenate(rig.speech)
    await rig.listen(pcm)
    health = await rig.provider.health()
    require(health.model_resident, "says that no model is resident")
    require(bool(rig.observer.spans), "reports no inference")
    spent_s = sum(span.end_s - span.begin_s for span in rig.observer.spans)
    measured = {"realtime_factor": spent_s * SAMPLE_RATE_HZ / len(pcm),
                "avg_infer_ms": 1000 * spent_s / len(rig.observer.spans)}  # fmt: skip
    for name, value in measured.items():
        claimed: float | None = getattr(health, name)
        require(
            claimed is not None and abs(claimed - value) <= HEALTH_TOLERANCE * value,
            f"{name} {claimed}, measured {value:.4g}",
        )

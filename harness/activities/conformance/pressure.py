"""Rule about backpressure: a provider takes no more audio than it can process."""

from collections.abc import AsyncIterator

import numpy as np

from harness.activities.conformance.rig import MIC, ContractRig, chunks, finals, require, rule
from harness.audio import SAMPLE_RATE_HZ

MAX_PENDING_S = 40.0
"""More than the longest window that Whisper decodes; audio beyond it would only wait."""


@rule
async def it_takes_no_more_than_it_can_use(rig: ContractRig) -> None:
    pcm = np.tile(np.concatenate(rig.speech), 5)
    pending: list[int] = []

    async def offered() -> AsyncIterator[bytes]:
        async for chunk in chunks(pcm, [0.5]):
            yield chunk
            pending.append((await rig.provider.health()).audio[MIC].pending)

    segments = [s async for s in rig.provider.transcribe_stream(offered(), source=MIC)]
    most_s = max(pending) / SAMPLE_RATE_HZ
    require(most_s <= MAX_PENDING_S, f"{most_s:.0f} s of audio were taken and still pending")
    require(bool(finals(segments)), "no final")
